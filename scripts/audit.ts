/** Asks the registry of npm for known vulnerabilities of everything that a lock file names; ends with 1 if there are any, or none can be told. */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { LOCKED } from './locked.ts'
import { print, printError } from '@nextscale/platform/terminal'

const ROOT = resolve(import.meta.dirname, '..')

/** npm's answer to a registry that has no such service, or is not there. */
const UNANSWERED = /audit endpoint returned an error|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN/

for (const folder of LOCKED) {
  print(`\n${folder === '' ? 'the project' : folder}:`)
  const options = { cwd: resolve(ROOT, folder), encoding: 'utf8' } as const
  const { status, stdout, stderr, error } = spawnSync('npm', ['audit', '--audit=true', '--package-lock-only'], options)
  print((stdout ?? '').trimEnd())
  if (status === 0) continue
  process.exitCode = 1
  const says = error?.message ?? stderr
  if (UNANSWERED.test(says))
    printError('The registry does not answer audits, so nothing is known. Name one that does: npm_config_registry=…')
  else printError(says.trimEnd())
}
