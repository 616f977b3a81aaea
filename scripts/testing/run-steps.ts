import { failedStep, type Outcome, summarise } from './outcome.ts'
import { print } from '@nextscale/platform/terminal'

/** Something a test command does that passes or fails. */
export interface Step {
  name: string
  /** Whether it may run beside another such step: nothing in it is timed. */
  isShared?: boolean
  run(): Promise<Outcome>
}

const attempt = async (step: Step): Promise<Outcome> => {
  try {
    return await step.run()
  } catch (error) {
    return failedStep(step.name, `crashed: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The environment of what the steps start. */
export const stepEnv = (): NodeJS.ProcessEnv => {
  const env: NodeJS.ProcessEnv = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' }
  // A `node --test` that inherits this takes itself for a test file of another run and counts nothing.
  delete env['NODE_TEST_CONTEXT']
  return env
}

const SIDE_BY_SIDE = 2

/** Runs steps of which each may run beside the others. */
const runSideBySide = async (steps: readonly Step[]): Promise<Outcome[]> => {
  const left = [...steps]
  const outcomes: Outcome[] = []
  const lane = async () => {
    for (let step = left.shift(); step !== undefined; step = left.shift()) outcomes.push(await attempt(step))
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane))
  return outcomes
}

/**
 * Runs steps one after the other, since timing tests must not compete for the cores, and then those that are shared; prints the
 * verdict and makes it the exit code.
 */
export const runSteps = async (steps: readonly Step[]): Promise<void> => {
  // Until the summary says otherwise, this run has failed: whatever ends it early ends it as a failure.
  process.exitCode = 1
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1))
  const outcomes: Outcome[] = []
  for (const step of steps) if (step.isShared !== true) outcomes.push(await attempt(step))
  outcomes.push(...(await runSideBySide(steps.filter(({ isShared }) => isShared === true))))
  const { text, exitCode } = summarise(outcomes)
  print(text)
  process.exitCode = exitCode
}
