/** What one step of `npm test` came to. */
export interface Outcome {
  name: string
  passed: number
  failed: number
  skipped: number
  /** One line for each thing that failed. */
  failures: string[]
  /** One line, with the reason, for each thing that was skipped. */
  skips?: string[]
}

/** A step that failed as a whole counts as one failure. */
export const failedStep = (name: string, reason: string): Outcome => ({
  name,
  passed: 0,
  failed: 1,
  skipped: 0,
  failures: [`${name}: ${reason}`]
})

/** The closing lines of a run, the verdict last, and the exit code that goes with it. */
export const summarise = (outcomes: Outcome[]): { text: string; exitCode: number } => {
  const total = (field: 'passed' | 'failed' | 'skipped') => outcomes.reduce((sum, outcome) => sum + outcome[field], 0)
  const failures = outcomes.flatMap((outcome) => outcome.failures).map((failure) => `  ✖ ${failure}`)
  const skipped = total('skipped')
  const skips = outcomes.flatMap((outcome) => outcome.skips ?? []).map((skip) => `  – ${skip}`)
  const lines = [
    ...(skips.length > 0 ? ['', 'Skipped:', ...skips] : []),
    ...(failures.length > 0 ? ['', 'Failed:', ...failures] : []),
    '',
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    `${total('passed')} passed, ${total('failed')} failed`
  ]
  return { text: lines.join('\n'), exitCode: total('failed') > 0 || outcomes.length === 0 ? 1 : 0 }
}
