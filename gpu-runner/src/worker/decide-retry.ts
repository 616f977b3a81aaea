import type { GenerationErrorCode } from '@nextscale/openapi'

export type RetryDecision = { kind: 'retry'; delayMs: number } | { kind: 'give-up' }

const GIVE_UP: RetryDecision = { kind: 'give-up' }
/** A generation that has failed by its own doing so often is given up. */
const MAX_FAULTS = 3

/** Doubles from `firstMs` with each time, up to `limitMs`. */
const backoff = (times: number, firstMs: number, limitMs: number): RetryDecision => ({
  kind: 'retry',
  delayMs: Math.min(firstMs * 2 ** (times - 1), limitMs)
})

/** Whether an attempt that ended so is held against its generation. Outages and lost processes of others never are. */
export const isOwnFault = (code: GenerationErrorCode): boolean =>
  code === 'sampler_crashed' || code === 'sampler_failed' || code === 'internal_error'

/**
 * Whether a generation is tried again whose attempt `attempt` (from 1) ended with `code`, by when it had `faults` of its own. What is
 * no fault of its own is tried until its deadline.
 */
export const decideRetry = (code: GenerationErrorCode, attempt: number, faults: number): RetryDecision => {
  switch (code) {
    case 'invalid_job':
    case 'runner_lost':
    case 'deadline_exceeded':
    case 'model_not_served':
      return GIVE_UP
    case 'object_store_unavailable':
    case 'model_load_failed':
      return backoff(attempt, 1_000, 60_000)
    case 'sampler_crashed':
    case 'sampler_failed':
    case 'internal_error':
      return faults < MAX_FAULTS ? backoff(faults, 500, 5_000) : GIVE_UP
  }
}
