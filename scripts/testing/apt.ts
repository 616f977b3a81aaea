import { spawnSync } from 'node:child_process'
import { printError } from '@nextscale/platform/terminal'

const TIMEOUT_MS = 8 * 60_000

export type Installation = { ok: true } | { ok: false; reason: string }

const run = (args: readonly string[]): Installation => {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, stderr, error } = spawnSync('apt-get', args, { encoding: 'utf8', timeout: TIMEOUT_MS, env })
  return status === 0 ? { ok: true } : { ok: false, reason: error?.message ?? stderr.trim() }
}

/** Installs a Debian package where root may, and says so on the way. */
export const aptInstall = (name: string, because: string): Installation => {
  if (process.getuid?.() !== 0 || !run(['--version']).ok) return { ok: false, reason: 'not root of a Debian' }
  printError(`${because}: installing ${name} with apt-get.`)
  const update = run(['update', '-qq'])
  return update.ok ? run(['install', '-qq', '-y', '--no-install-recommends', name]) : update
}
