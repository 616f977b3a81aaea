import type { WebhookAttempt } from '@nextscale/openapi'

/** What becomes of a delivery after an attempt. */
export type Decision = { kind: 'done' } | { kind: 'give-up' } | { kind: 'retry'; delayMs: number }

export interface Attempted {
  outcome: WebhookAttempt['outcome']
  statusCode: number | null
  /** What the receiver asked for, in ms. */
  retryAfterMs: number | null
  /** Which attempt it was, counted from 1, since the delivery was made or asked for again. */
  attempt: number
}

const GONE = 410
const MAX_RETRY_AFTER_MS = 86_400_000
/** Share by which a pause may be shorter or longer, so that what failed together does not come back together. */
const JITTER = 0.1

/**
 * Decides whether a delivery is tried again, and after how long: by the schedule, or later where the receiver says so.
 * @param delaysMs Pauses before the second, third, … attempt; after the last there is none.
 * @param random A number from 0 to 1.
 */
export const decideRetry = (attempted: Attempted, delaysMs: readonly number[], random: number): Decision => {
  const { outcome, statusCode, retryAfterMs, attempt } = attempted
  switch (outcome) {
    case 'delivered':
      return { kind: 'done' }
    case 'gone':
      return { kind: 'give-up' }
    case 'rejected':
    case 'unreachable':
    case 'timeout':
    case 'refused': {
      const delayMs = delaysMs[attempt - 1]
      if (delayMs === undefined || statusCode === GONE) return { kind: 'give-up' }
      const jittered = delayMs * (1 + JITTER * (2 * random - 1))
      return { kind: 'retry', delayMs: Math.round(Math.max(jittered, Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS))) }
    }
  }
}
