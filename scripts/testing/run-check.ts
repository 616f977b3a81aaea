import { failedStep, type Outcome } from './outcome.ts'
import { runCommand } from './run-command.ts'
import { print } from '@nextscale/platform/terminal'

const TIMEOUT_MS = 5 * 60_000

export interface Check {
  name: string
  command: string
}

export const CHECKS: readonly Check[] = [
  { name: 'format', command: 'oxfmt --check' },
  { name: 'lint', command: 'oxlint' },
  { name: 'boundaries', command: 'turbo boundaries' },
  { name: 'types', command: 'turbo run typecheck --output-logs=errors-only' },
  { name: 'types of scripts', command: 'tsc --noEmit -p scripts' },
  { name: 'dead code', command: 'knip' }
]

/** Runs a check over the whole repository and shows what it says only when it fails. */
export const runCheck = async (
  { name, command }: Check,
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv }
): Promise<Outcome> => {
  const startedAt = performance.now()
  const { output, failure } = await runCommand(command, {
    cwd,
    env: { ...env, NO_COLOR: '1' },
    timeoutMs: TIMEOUT_MS,
    live: false
  })
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  if (failure === undefined) {
    print(`✔ ${name} (${seconds} s)`)
    return { name, passed: 0, failed: 0, skipped: 0, failures: [] }
  }
  print(`✖ ${name} (${seconds} s)\n${output}`)
  return failedStep(name, `${command}: ${failure}`)
}
