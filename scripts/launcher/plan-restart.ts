/** A child that ran this long was healthy: what happened before is forgotten. */
const HEALTHY_MS = 60_000
const FIRST_DELAY_MS = 500
const MAX_RESTARTS = 4

export type RestartPlan = { kind: 'restart'; failures: number; delayMs: number } | { kind: 'give-up'; failures: number }

/** What to do about a child that ended by itself after `ranMs`, its earlier quick failures in a row being `failures`. */
export const planRestart = ({ failures, ranMs }: { failures: number; ranMs: number }): RestartPlan => {
  const inARow = ranMs >= HEALTHY_MS ? 1 : failures + 1
  if (inARow > MAX_RESTARTS) return { kind: 'give-up', failures: inARow }
  return { kind: 'restart', failures: inARow, delayMs: FIRST_DELAY_MS * 2 ** (inARow - 1) }
}
