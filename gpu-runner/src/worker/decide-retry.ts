import type { GenerationErrorCode } from '@nextscale/openapi'

export type RetryDecision = { kind: 'retry'; delayMs: number } | { kind: 'give-up' }

const GIVE_UP: RetryDecision = { kind: 'give-up' }

/** Doubles from `firstMs` with each attempt, up to `limitMs`. */
const backoff = (attempt: number, firstMs: number, limitMs: number): RetryDecision => ({
  kind: 'retry',
  delayMs: Math.min(firstMs * 2 ** (attempt - 1), limitMs)
})

/**
 * Whether a generation is tried again after attempt `attempt` (from 1) ended with `code`. The job itself allows
 * `generateImageJob.attempts`, which must not be fewer than any number here.
 */
export const decideRetry = (code: GenerationErrorCode, attempt: number): RetryDecision => {
  switch (code) {
    case 'invalid_job':
    case 'runner_lost':
    case 'deadline_exceeded':
      return GIVE_UP
    case 'model_not_served':
      // Another runner may serve it, or a new one may be starting.
      return attempt < 10 ? backoff(attempt, 1_000, 30_000) : GIVE_UP
    case 'object_store_unavailable':
      // Outages end; with these delays a generation outlives one of about four minutes.
      return attempt < 10 ? backoff(attempt, 1_000, 60_000) : GIVE_UP
    case 'sampler_crashed':
    case 'sampler_failed':
    case 'internal_error':
      return attempt < 3 ? backoff(attempt, 500, 5_000) : GIVE_UP
  }
}
