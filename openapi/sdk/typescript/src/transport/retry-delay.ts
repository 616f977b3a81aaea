import { NextscaleError } from '../errors.ts'

const BASE_MS = 500
const MOST_MS = 8000
/** A server that asks for more patience than this gets no second request: the caller decides. */
const MOST_PATIENCE_MS = 60_000

/** Exponential, with between half and all of it by chance, so that clients refused together do not return together. */
export const backoffMs = (attempt: number, random: () => number = Math.random): number =>
  Math.min(MOST_MS, BASE_MS * 2 ** attempt) * (0.5 + random() / 2)

/**
 * How long to wait before attempt `attempt + 1`, or `null` to give up. The time the server names is kept to exactly; where it
 * names none, or one that is over, the delays grow from attempt to attempt.
 */
export const retryDelayMs = (
  error: unknown,
  { attempt, maxRetries, random }: { attempt: number; maxRetries: number; random?: () => number }
): number | null => {
  if (!(error instanceof NextscaleError) || !error.retryable || attempt >= maxRetries) return null
  const asked = error.retryAfterMs
  if (asked !== null && asked > MOST_PATIENCE_MS) return null
  return asked !== null && asked > 0 ? asked : backoffMs(attempt, random)
}
