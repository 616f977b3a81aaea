import { type GenerateImageResult, type GenerationErrorCode, generateImageJob, type Stage } from '@nextscale/openapi'
import { UnrecoverableError, WaitingError } from 'bullmq'
import { Compile } from 'typebox/compile'
import { codeOf } from '../worker/failure.ts'
import type { ProgressTracker } from '../worker/progress.ts'
import type { AttemptOutcome, AttemptRecord, Observer } from './observer.ts'

/** The part of a BullMQ job that is recorded. */
interface ObservedJob {
  id?: string | undefined
  data: unknown
  timestamp: number
}

type OnStage = (stage: Stage) => void

const Payload = Compile(generateImageJob.payload)

/** A tracker that tells of stages as they begin. */
export const tellStages = (tracker: ProgressTracker, onStage: OnStage = () => undefined): ProgressTracker => {
  let isStarted = false
  return {
    ...tracker,
    start: () => {
      if (!isStarted) onStage('sampling')
      isStarted = true
      tracker.start()
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
  work: (onStage: OnStage) => Promise<GenerateImageResult>
): Promise<GenerateImageResult> => {
  const begunAt = Date.now()
  const stages: { stage: Stage; at: number }[] = []
  const input = Payload.Check(job.data) ? job.data.input : undefined
  const end = (how: Pick<AttemptRecord, 'outcome' | 'code' | 'decodeMs'>) =>
    observer.attempt({
      generation: job.id ?? '',
      model: input?.model ?? null,
      images: input?.num_images ?? 0,
      queuedAt: job.timestamp,
      begunAt,
      endedAt: Date.now(),
      stages,
      ...how
    })
  try {
    const result = await work((stage) => stages.push({ stage, at: Date.now() }))
    end({ outcome: result.outcome, code: null, decodeMs: result.outcome === 'succeeded' ? result.metrics.decode_ms : null })
    return result
  } catch (error) {
    end({ ...(isLost() ? { outcome: 'lost', code: null } : failureOf(error)), decodeMs: null })
    throw error
  }
}
