import { execFile, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const INSTALL = fileURLToPath(new URL('../../../scripts/install-package.ts', import.meta.url))
const INSTALL_TIMEOUT_MS = 480_000
const CALLS = 'connect,sendto,sendmsg,sendmmsg'

/** Installs strace where it is missing; throws what to do where that cannot be. */
export const requireStrace = async (): Promise<void> => {
  if (spawnSync('strace', ['--version']).status === 0) return
  const args = [INSTALL, 'strace', 'strace shows whom a process talks to']
  await promisify(execFile)(process.execPath, args, { timeout: INSTALL_TIMEOUT_MS })
}

/** The command line that runs a program of ours and writes down whom it, and what it starts, talks to. */
export const tracedTo = (file: string, program: string): [command: string, ...args: string[]] =>
  // Traced from aside, so that signals reach the program itself.
  ['strace', '-D', '-f', '-qq', '--seccomp-bpf', '-e', `trace=${CALLS}`, '-o', file, process.execPath, program]

const LOOPBACK = /inet_addr\("127\.|inet_pton\(AF_INET6, "(::1|::ffff:127\.[\d.]+)"/

/** What was sent beyond this machine, and every question to a name server. */
export const foreignTraffic = async (file: string): Promise<string[]> => {
  const lines = (await readFile(file, 'utf8')).split('\n')
  return lines.filter((line) => line.includes('htons(53)') || (/AF_INET6?[,}]/.test(line) && !LOOPBACK.test(line)))
}
