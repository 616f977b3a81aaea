import {
  completeInput,
  deadlineOf,
  type GenerateImagePayload,
  type GenerateImageProgress,
  type GenerateImageResult,
  generateImageJob,
  type GenerationInput,
  lapseOf,
  type RunnerMetrics
} from '@nextscale/openapi'
import type { Logger } from 'pino'
import { Compile } from 'typebox/compile'
import { JobError, NotServed } from '../errors.ts'
import { encodePicture } from '../image/encode.ts'
import { keyOf } from '../model/model-ref.ts'
import { type AttemptListener, tellListener } from '../observe/observe-attempt.ts'
import type { SamplerForm } from '../sampler/sampler-form.ts'
import type { GenerationPlan, ServedModel } from '../families/family.ts'
import { seedOf } from '../families/seed-of.ts'
import type { ObjectStore } from '@nextscale/platform/object-store'
import type { BatchedImage, Batcher } from './batcher.ts'
import type { CancelWatch } from './cancel-watch.ts'
import { AttemptOver, CancelRequested, DeadlinePassed } from './abort-reasons.ts'
import type { EventAnnouncer, LiveEvents } from './announce-events.ts'
import { keepPreviews, type PreviewKeeper } from './keep-previews.ts'
import { type ProgressTracker, trackProgress } from './progress.ts'
import { type FinishedImage, storeOutputs } from './store-outputs.ts'
import type { TakeUp } from './take-up.ts'

export interface JobContext {
  /** By `keyOf` their id and revision. */
  models: ReadonlyMap<string, ServedModel>
  batcher: Batcher
  store: Pick<ObjectStore, 'put'>
  cancels: CancelWatch
  form: SamplerForm['form']
  takeUp: TakeUp
  liveEvents: Pick<LiveEvents, 'of' | 'settled'>
  log: Logger
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

const Payload = Compile(generateImageJob.payload)

const parsePayload = (data: unknown): GenerateImagePayload => {
  if (Payload.Check(data)) return data
  const [first] = Payload.Errors(data)
  throw new JobError('invalid_job', `This runner does not understand the job: ${first?.instancePath} ${first?.message}.`)
}

/** One that cannot be parsed is refused, and its refusal kept as long as anything. */
const retentionOf = (data: unknown): number =>
  (Payload.Check(data) ? data.input.retention_seconds : undefined) ?? generateImageJob.retentionSeconds

/** The model of a generation, in the revision that it is queued for. */
const findModel = ({ models }: JobContext, { model: id, model_revision: revision }: GenerationInput): ServedModel => {
  const found = models.get(keyOf({ id, revision }))
  if (found) return found
  const others = [...models.values()].filter((model) => model.id === id).map((model) => model.revision)
  const instead = others.length === 0 ? 'does not serve that model' : `serves revision ${others.join(', ')}`
  throw new NotServed(
    { id, revision },
    `It waits for a runner that serves revision ${revision} of ${id}: the one that looked at it last ${instead}.`
  )
}

/** A generation that this runner can make. */
interface Planned {
  input: GenerationInput
  plan: GenerationPlan
  isAlone: boolean
}

const sampleAll = (
  job: GenerationJob,
  { input, plan, isAlone }: Planned,
  context: JobContext,
  { tracker, previews }: { tracker: ProgressTracker; previews: PreviewKeeper },
  signal: AbortSignal
) =>
  Promise.all(
    Array.from({ length: input.num_images }, (_, index) =>
      context.batcher.submit({
        model: { id: input.model, revision: input.model_revision },
        request: plan.requestOf(index),
        isAlone,
        signal,
        onLoading: () => tracker.loading(),
        onStart: () => tracker.start(),
        onScale: (scale) => {
          tracker.scale(index, scale)
          context.cancels.check(job.id)
        },
        onPreview: (preview) => previews.keep(index, preview)
      })
    )
  )

const finishAll = (images: readonly BatchedImage[], { input, plan }: Planned): Promise<FinishedImage[]> =>
  Promise.all(
    images.map(async ({ tokens, ...picture }, index) => {
      const { width, height } = picture
      if (width !== plan.width || height !== plan.height)
        throw new JobError(
          'internal_error',
          'The generation failed.',
          new Error(`a picture of ${width} x ${height} pixels, not ${plan.width} x ${plan.height}`)
        )
      return {
        seed: seedOf(input.seed, index),
        width,
        height,
        picture: await encodePicture(picture, plan.settingsOf(index), input.output),
        tokens: input.return_tokens ? plan.packTokens(tokens) : null
      }
    })
  )

const timed = async <T>(work: Promise<T>): Promise<[T, number]> => {
  const begun = performance.now()
  const result = await work
  return [result, performance.now() - begun]
}

/** Milliseconds to a tenth. */
const rounded = (ms: number): number => Math.round(ms * 10) / 10

/** What sampling of the first scales cost. Images of one batch share its times, so each batch counts once. */
const sampleMetrics = (images: readonly BatchedImage[], scales: number) => {
  const batches = [...new Map(images.map((image) => [image.scaleMs, image])).values()]
  const scaleMs = (images[0]?.scaleMs ?? [])
    .slice(0, scales)
    .map((_, k) => rounded(batches.reduce((sum, batch) => sum + (batch.scaleMs[k] ?? 0), 0)))
  return {
    sample_ms: rounded(scaleMs.reduce((sum, ms) => sum + ms, 0)),
    scale_ms: scaleMs,
    decode_ms: rounded(batches.reduce((sum, { decodeMs }) => sum + decodeMs, 0)),
    batch_size: Math.max(...images.map(({ batchSize }) => batchSize))
  }
}

const trackFor = ({ report, listener }: GenerationJob, { input, plan }: Planned, events: EventAnnouncer): ProgressTracker => {
  const tracker = trackProgress(plan.scaleTokens, input.num_images, report, (scale) => events.progress(scale))
  return listener ? tellListener(tracker, listener) : tracker
}

const generate = async (
  job: GenerationJob,
  { input, events, isAlone }: { input: GenerationInput; events: EventAnnouncer; isAlone: boolean },
  context: JobContext,
  signal: AbortSignal
) => {
  const plan = findModel(context, input).plan(input, context.form)
  const planned: Planned = { input, plan, isAlone }
  events.started()
  const tracker = trackFor(job, planned, events)
  const previews = keepPreviews({ id: job.id, store: context.store, tracker, signal, log: context.log })
  try {
    const images = await sampleAll(job, planned, context, { tracker, previews }, signal)
    tracker.stage('encoding')
    const [finished, encodeMs] = await timed(finishAll(images, planned))
    signal.throwIfAborted()
    tracker.stage('uploading')
    const [outputs, uploadMs] = await timed(storeOutputs(job.id, finished, input.output.format, context.store, signal))
    const previewMs = await previews.settled()
    await events.outputs(outputs)
    const metrics: RunnerMetrics = {
      ...sampleMetrics(images, plan.scaleTokens.length),
      preview_ms: previewMs === null ? null : rounded(previewMs),
      encode_ms: rounded(encodeMs),
      upload_ms: rounded(uploadMs)
    }
    return { outcome: 'succeeded', outputs, metrics } satisfies GenerateImageResult
  } finally {
    // However the attempt ends: a preview that arrives later could outlive its deletion.
    await previews.settled()
  }
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
    const { ended, now, faults, timesAside } = await context.takeUp(job.id, retentionOf(job.data))
    if (ended !== null) return END[ended]
    const payload = parsePayload(job.data)
    const input = completeInput(payload.input)
    // Runners that put it aside have not begun it.
    const hasStarted = job.run - timesAside > 1
    const lapse = lapseOf(input, job.createdAt, hasStarted, now)
    if (lapse) return END[lapse.outcome]
    stopClock = abortAfter(controller, deadlineOf(input, job.createdAt) - now)
    const anyEnd = AbortSignal.any([signal, controller.signal])
    const events = context.liveEvents.of({ id: job.id, payload, run: job.run, signal: anyEnd })
    // What has killed a sampler may do so again: it takes no others with it.
    return await generate(job, { input, events, isAlone: faults > 0 }, context, anyEnd)
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
