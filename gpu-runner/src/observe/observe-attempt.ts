import type { GenerateImageResult, GenerationErrorCode, Stage } from '@nextscale/openapi'
import { UnrecoverableError, WaitingError } from 'bullmq'
import { codeOf } from '../worker/failure.ts'
import type { ProgressTracker } from '../worker/progress.ts'
import { readPayload } from '../worker/read-payload.ts'
import type { AttemptOutcome, AttemptRecord, Observer } from './observer.ts'

/** The part of a BullMQ job that is recorded. */
interface ObservedJob {
  id?: string | undefined
  data: unknown
  timestamp: number
  attemptsMade: number
  opts: { telemetry?: { metadata?: string } }
}

/** Hears how far an attempt has come. */
export interface AttemptListener {
  onStage: (stage: Stage) => void
  /** An image has this scale. */
  onScale: (scale: number) => void
}

/** A tracker that tells of stages as they begin, and of scales as images have them. */
export const tellListener = (tracker: ProgressTracker, { onStage, onScale }: AttemptListener): ProgressTracker => {
  let isLoading = false
  let isStarted = false
  return {
    ...tracker,
    loading: () => {
      if (!isLoading && !isStarted) onStage('loading_model')
      isLoading = true
      tracker.loading()
    },
    start: () => {
      if (!isStarted) onStage('sampling')
      isStarted = true
      tracker.start()
    },
    scale: (image, scale) => {
      onScale(scale)
      tracker.scale(image, scale)
    },
    stage: (stage) => {
      onStage(stage)
      tracker.stage(stage)
    }
  }
}

const failureOf = (error: unknown): { outcome: AttemptOutcome; code: GenerationErrorCode | null } => {
  if (error instanceof WaitingError) return { outcome: 'handed_back', code: null }
  const code = codeOf(error instanceof Error ? error.message : undefined)
  return { outcome: error instanceof UnrecoverableError ? 'failed' : 'retried', code }
}

/** Runs an attempt and tells the observer how it went. `isLost` says whether another runner has the job by now. */
export const observeAttempt = async (
  job: ObservedJob,
  observer: Observer,
  isLost: () => boolean,
  work: (listener: AttemptListener) => Promise<GenerateImageResult>
): Promise<GenerateImageResult> => {
  const begunAt = Date.now()
  const stages: { stage: Stage; at: number }[] = []
  const scalesAt: number[] = []
  const input = readPayload(job.data).payload?.input
  const end = (how: Pick<AttemptRecord, 'outcome' | 'code' | 'decodeMs'>) =>
    observer.attempt({
      generation: job.id ?? '',
      model: input?.model ?? null,
      images: input?.num_images ?? 0,
      attempt: job.attemptsMade + 1,
      carrier: job.opts.telemetry?.metadata,
      queuedAt: job.timestamp,
      begunAt,
      endedAt: Date.now(),
      stages,
      // A draft's batch may go on for its mates.
      scalesAt: scalesAt.slice(0, (input?.stop_at_scale ?? Number.POSITIVE_INFINITY) + 1),
      ...how
    })
  try {
    const result = await work({
      onStage: (stage) => stages.push({ stage, at: Date.now() }),
      onScale: (scale) => (scalesAt[scale] = Date.now())
    })
    end({ outcome: result.outcome, code: null, decodeMs: result.outcome === 'succeeded' ? result.metrics.decode_ms : null })
    return result
  } catch (error) {
    end({ ...(isLost() ? { outcome: 'lost', code: null } : failureOf(error)), decodeMs: null })
    throw error
  }
}
