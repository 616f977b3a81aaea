import { DEFAULT_JOB_KIND, type GenerateImageResult, type GenerationInput, type RunnerMetrics } from '@nextscale/openapi'
import type { ObjectStore } from '@nextscale/platform/object-store'
import type { Logger } from 'pino'
import { JobError, NotServed } from '../errors.ts'
import type { GenerationPlan, ServedModel } from '../families/family.ts'
import { seedOf } from '../families/seed-of.ts'
import { encodePicture } from '../image/encode.ts'
import { keyOf } from '../model/model-ref.ts'
import type { SamplerForm } from '../sampler/sampler-form.ts'
import type { EventAnnouncer } from './announce-events.ts'
import type { BatchedImage, Batcher } from './batcher.ts'
import type { CancelWatch } from './cancel-watch.ts'
import { keepPreviews, type PreviewKeeper } from './keep-previews.ts'
import type { JobHandler, JobHandlers, Work } from './kinds/handler.ts'
import type { ProgressTracker } from './progress.ts'
import { type FinishedImage, storeOutputs } from './store-outputs.ts'

/** What pictures are made with. */
export interface MakingContext {
  /** By `keyOf` their id and revision. */
  models: ReadonlyMap<string, ServedModel>
  handlers: JobHandlers
  batcher: Batcher
  store: Pick<ObjectStore, 'put' | 'open'>
  cancels: Pick<CancelWatch, 'check'>
  form: SamplerForm['form']
  log: Logger
}

/** A job whose pictures are to be made now. */
export interface Making {
  id: string
  /** Of `JOB_KINDS`; left out, the first. */
  kind: string | undefined
  own: unknown
  input: GenerationInput
  events: EventAnnouncer
  /** Shares its batches with no other job. */
  isAlone: boolean
  /** Tracks the progress of pictures that are made so. */
  track: (plan: GenerationPlan) => ProgressTracker
}

/** The model of a generation, in the revision that it is queued for. */
const findModel = ({ models }: MakingContext, { model: id, model_revision: revision }: GenerationInput): ServedModel => {
  const found = models.get(keyOf({ id, revision }))
  if (found) return found
  const others = [...models.values()].filter((model) => model.id === id).map((model) => model.revision)
  const instead = others.length === 0 ? 'does not serve that model' : `serves revision ${others.join(', ')}`
  throw new NotServed(
    { id, revision },
    `It waits for a runner that serves revision ${revision} of ${id}: the one that looked at it last ${instead}.`
  )
}

/** Runners of one release know kinds that those of another do not. */
const findHandler = ({ handlers }: MakingContext, { kind = DEFAULT_JOB_KIND, input }: Making): JobHandler => {
  const found = Object.hasOwn(handlers, kind) ? handlers[kind] : undefined
  if (found) return found
  const { model: id, model_revision: revision } = input
  throw new NotServed({ id, revision }, `It waits for a runner that knows jobs of the kind ${kind}, as another release does.`)
}

/** A generation that this runner can make. */
interface Planned {
  making: Making
  plan: GenerationPlan
  work: Work
}

const sampleAll = (
  { making: { id, input, isAlone }, work }: Planned,
  context: MakingContext,
  { tracker, previews }: { tracker: ProgressTracker; previews: PreviewKeeper },
  signal: AbortSignal
) =>
  Promise.all(
    Array.from({ length: input.num_images }, (_, index) =>
      context.batcher.submit({
        model: { id: input.model, revision: input.model_revision },
        request: work.requestOf(index),
        isAlone,
        signal,
        onLoading: () => tracker.loading(),
        onStart: () => tracker.start(),
        onScale: (scale) => {
          tracker.scale(index, scale)
          context.cancels.check(id)
        },
        onPreview: (preview) => previews.take(index, preview)
      })
    )
  )

const finishAll = (images: readonly BatchedImage[], { making: { input }, plan, work }: Planned): Promise<FinishedImage[]> =>
  Promise.all(
    images.map(async ({ tokens, ...decoded }, index) => {
      if (decoded.width !== plan.width || decoded.height !== plan.height)
        throw new JobError(
          'internal_error',
          'The generation failed.',
          new Error(`a picture of ${decoded.width} x ${decoded.height} pixels, not ${plan.width} x ${plan.height}`)
        )
      const picture = (await work.finish?.(decoded, index)) ?? decoded
      const { width, height } = picture
      return {
        seed: seedOf(input.seed, index),
        width,
        height,
        picture: await encodePicture(picture, work.settingsOf(index), input.output),
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

/**
 * Makes and stores the pictures of a job, whatever kind it is of.
 * @throws JobError or StoreUnavailable when it cannot, NotServed where another runner can, and the reason of `signal` when that is aborted.
 */
export const makePictures = async (
  making: Making,
  context: MakingContext,
  signal: AbortSignal
): Promise<Extract<GenerateImageResult, { outcome: 'succeeded' }>> => {
  const { id, own, input, events } = making
  const plan = findModel(context, input).plan(input, context.form)
  const work = await findHandler(context, making).prepare({ id, input, plan, own }, { store: context.store, signal })
  const planned: Planned = { making, plan, work }
  events.started()
  const tracker = making.track(plan)
  const previews = keepPreviews({ id, store: context.store, tracker, signal, log: context.log })
  try {
    const images = await sampleAll(planned, context, { tracker, previews }, signal)
    tracker.stage('encoding')
    const [finished, encodeMs] = await timed(finishAll(images, planned))
    signal.throwIfAborted()
    tracker.stage('uploading')
    const [outputs, uploadMs] = await timed(storeOutputs(id, finished, input.output.format, context.store, signal))
    const previewMs = await previews.settled()
    await events.outputs(outputs)
    const metrics: RunnerMetrics = {
      ...sampleMetrics(images, plan.scaleTokens.length),
      preview_ms: previewMs === null ? null : rounded(previewMs),
      encode_ms: rounded(encodeMs),
      upload_ms: rounded(uploadMs)
    }
    return { outcome: 'succeeded', outputs, metrics }
  } finally {
    // However the attempt ends: a preview that arrives later could outlive its deletion.
    await previews.settled()
  }
}
