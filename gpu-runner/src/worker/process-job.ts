import {
  completeInput,
  deadlineOf,
  type GenerateImageProgress,
  type GenerateImageResult,
  generateImageJob,
  type GenerationInput,
  lapseOf
} from '@nextscale/openapi'
import { JobError } from '../errors.ts'
import type { GenerationPlan } from '../families/family.ts'
import { type AttemptListener, tellListener } from '../observe/observe-attempt.ts'
import { AttemptOver, CancelRequested, DeadlinePassed } from './abort-reasons.ts'
import type { EventAnnouncer, LiveEvents } from './announce-events.ts'
import type { CancelWatch } from './cancel-watch.ts'
import { makePictures, type MakingContext } from './make-pictures.ts'
import { type ProgressTracker, trackProgress } from './progress.ts'
import { readPayload } from './read-payload.ts'
import type { TakeUp } from './take-up.ts'

export interface JobContext extends MakingContext {
  cancels: CancelWatch
  takeUp: TakeUp
  liveEvents: Pick<LiveEvents, 'of' | 'settled'>
}

/** A generation as the queue hands it over. */
export interface GenerationJob {
  id: string
  /** Not yet parsed: queued jobs outlive deploys. */
  data: unknown
  /** When it was accepted, in Unix ms. */
  createdAt: number
  /** BullMQ's count of starts, this one included. */
  run: number
  /** Must not reject. */
  report: (progress: GenerateImageProgress) => Promise<void>
  listener?: AttemptListener
}

const trackerOf =
  ({ report, listener }: GenerationJob, input: GenerationInput, events: EventAnnouncer) =>
  (plan: GenerationPlan): ProgressTracker => {
    const tracker = trackProgress(plan.scaleTokens, input.num_images, report, (scale) => events.progress(scale))
    return listener ? tellListener(tracker, listener) : tracker
  }

/** Results of generations that ended without a picture. */
const END = {
  canceled: { outcome: 'canceled' },
  deadline: { outcome: 'canceled', reason: 'deadline' },
  expired: { outcome: 'expired' }
} as const satisfies Record<string, GenerateImageResult>

/** Aborts when the deadline has come. Returns the way to stop the clock. */
const abortAfter = (controller: AbortController, remainingMs: number): (() => void) => {
  const timer = setTimeout(() => controller.abort(new DeadlinePassed()), remainingMs)
  return () => clearTimeout(timer)
}

/**
 * Carries one generation from its payload to stored pictures.
 * @throws JobError or StoreUnavailable when it cannot, and the reason of `signal` when that is aborted.
 */
export const processJob = async (job: GenerationJob, context: JobContext, signal: AbortSignal): Promise<GenerateImageResult> => {
  const controller = new AbortController()
  const stopWatching = context.cancels.watch(job.id, controller)
  let stopClock = () => {}
  try {
    // After the watch has begun, so that a request between the two is not missed.
    const read = readPayload(job.data)
    // One that cannot be parsed is refused, and its refusal kept as long as anything.
    const retentionSeconds = read.payload?.input.retention_seconds ?? generateImageJob.retentionSeconds
    const { ended, now, faults, timesAside } = await context.takeUp(job.id, retentionSeconds)
    if (ended !== null) return END[ended]
    if (!read.payload) throw new JobError('invalid_job', read.complaint)
    const { payload } = read
    const input = completeInput(payload.input)
    // Runners that put it aside have not begun it.
    const hasStarted = job.run - timesAside > 1
    const lapse = lapseOf(input, job.createdAt, hasStarted, now)
    if (lapse) return END[lapse.outcome]
    stopClock = abortAfter(controller, deadlineOf(input, job.createdAt) - now)
    const anyEnd = AbortSignal.any([signal, controller.signal])
    const events = context.liveEvents.of({ id: job.id, payload, run: job.run, signal: anyEnd })
    const { kind, own = {} } = payload
    // What has killed a sampler may do so again: it takes no others with it.
    const making = { id: job.id, kind, own, input, events, isAlone: faults > 0, track: trackerOf(job, input, events) }
    return await makePictures(making, context, anyEnd)
  } catch (error) {
    if (error instanceof CancelRequested) return END.canceled
    if (error instanceof DeadlinePassed) return END.deadline
    throw error
  } finally {
    stopClock()
    stopWatching()
    // Whatever of this attempt still waits or is sampled has nobody left to wait for it.
    controller.abort(new AttemptOver())
  }
}
