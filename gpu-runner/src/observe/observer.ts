import type { GenerateImageResult, GenerationErrorCode, Stage } from '@nextscale/openapi'

/** One batch that the sampler made. */
export interface BatchRecord {
  model: string
  images: number
  elapsedMs: number
  scaleMs: readonly number[]
}

/** How an attempt ended. The last three leave the generation unfinished. */
export type AttemptOutcome = GenerateImageResult['outcome'] | 'failed' | 'retried' | 'handed_back' | 'lost'

/** One attempt at a generation. Moments are Unix times in ms. */
export interface AttemptRecord {
  generation: string
  /** Null for a job that cannot be read. */
  model: string | null
  images: number
  /** From 1; what was handed back or lost does not count. */
  attempt: number
  /** The trace it belongs to, as BullMQ keeps it beside the job. */
  carrier: string | undefined
  queuedAt: number
  begunAt: number
  endedAt: number
  /** Stages it came to after gathering, with the moments they began. */
  stages: readonly { stage: Stage; at: number }[]
  /** Moments at which all images had scale k. */
  scalesAt: readonly number[]
  outcome: AttemptOutcome
  code: GenerationErrorCode | null
  /** From the stored result of a success. */
  decodeMs: number | null
}

/** Hears of what the runner did. It must not throw, and must not take long. */
export interface Observer {
  batch(record: BatchRecord): void
  attempt(record: AttemptRecord): void
}

export const observeWith = (observers: readonly Observer[]): Observer => ({
  batch: (record) => observers.forEach((observer) => observer.batch(record)),
  attempt: (record) => observers.forEach((observer) => observer.attempt(record))
})
