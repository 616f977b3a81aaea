import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const START = fileURLToPath(new URL('../cli/start.ts', import.meta.url))

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs the command as a process of its own, with nothing in its environment but `env`. */
export const runCommand = async (
  args: readonly string[],
  {
    cwd,
    env = {},
    started = () => undefined
  }: { cwd: string; env?: Record<string, string>; started?: (child: ChildProcess) => void }
): Promise<Ended> => {
  const child = spawn(process.execPath, [START, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended: Ended = { code: null, stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (ended.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (ended.stderr += chunk.toString()))
  started(child)
  await once(child, 'close')
  return { ...ended, code: child.exitCode }
}
