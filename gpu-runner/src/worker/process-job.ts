import {
  type GenerateImagePayload,
  type GenerateImageProgress,
  type GenerateImageResult,
  generateImageJob,
  type GenerationInput,
  pictureKey,
  type RunnerMetrics,
  type StoredOutput
} from '@nextscale/openapi'
import { createHash } from 'node:crypto'
import { Compile } from 'typebox/compile'
import { JobError } from '../errors.ts'
import { type EncodedPicture, encodePicture } from '../image/encode.ts'
import type { OpenModel } from '../model/open-model.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import type { BatchedImage, Batcher } from './batcher.ts'
import type { CancelWatch } from './cancel-watch.ts'
import { AttemptOver, CancelRequested } from './abort-reasons.ts'
import { type ProgressTracker, trackProgress } from './progress.ts'

const UINT32 = 2 ** 32

export interface JobContext {
  models: ReadonlyMap<string, OpenModel>
  batcher: Batcher
  store: ObjectStore
  cancels: CancelWatch
}

/** A generation as the queue hands it over. */
export interface GenerationJob {
  id: string
  /** Not yet parsed: queued jobs outlive deploys. */
  data: unknown
  /** Must not reject. */
  report: (progress: GenerateImageProgress) => Promise<void>
}

const Payload = Compile(generateImageJob.payload)

const parsePayload = (data: unknown): GenerateImagePayload => {
  if (Payload.Check(data)) return data
  const [first] = Payload.Errors(data)
  throw new JobError('invalid_job', `This runner does not understand the job: ${first?.instancePath} ${first?.message}.`)
}

const seedOf = ({ input }: GenerateImagePayload, index: number): number => (input.seed + index) % UINT32

const sampleAll = (
  job: GenerationJob,
  payload: GenerateImagePayload,
  context: JobContext,
  tracker: ProgressTracker,
  signal: AbortSignal
) =>
  Promise.all(
    Array.from({ length: payload.input.num_images }, (_, index) =>
      context.batcher.submit({
        model: payload.input.model,
        request: {
          seed: seedOf(payload, index),
          label: payload.input.class_label,
          cfg: payload.input.cfg,
          topK: payload.input.top_k,
          topP: payload.input.top_p,
          smooth: false,
          schedule: null
        },
        signal,
        onStart: () => tracker.start(),
        onScale: (scale) => {
          tracker.scale(index, scale)
          context.cancels.check(job.id)
        }
      })
    )
  )

const timed = async <T>(work: Promise<T>): Promise<[T, number]> => {
  const begun = performance.now()
  const result = await work
  return [result, performance.now() - begun]
}

/** Milliseconds to a tenth. */
const rounded = (ms: number): number => Math.round(ms * 10) / 10

const storeAll = async (
  job: GenerationJob,
  { input }: GenerateImagePayload,
  pictures: readonly EncodedPicture[],
  store: ObjectStore,
  signal: AbortSignal
): Promise<void> => {
  const puts = pictures.map(({ bytes, contentType }, index) =>
    store.put(pictureKey(job.id, index, input.output.format), bytes, contentType, signal)
  )
  // All are waited for also when one fails: a picture that arrives later could outlive its deletion.
  for (const put of await Promise.allSettled(puts)) if (put.status === 'rejected') throw put.reason
}

const storedOutput = (
  id: string,
  payload: GenerateImagePayload,
  side: number,
  picture: EncodedPicture,
  index: number
): StoredOutput => ({
  index,
  seed: seedOf(payload, index),
  key: pictureKey(id, index, payload.input.output.format),
  content_type: picture.contentType,
  width: side,
  height: side,
  bytes: picture.bytes.length,
  sha256: createHash('sha256').update(picture.bytes).digest('hex')
})

/** What sampling cost. Images of one batch share its times, so each batch counts once. */
const sampleMetrics = (images: readonly BatchedImage[]) => {
  const batches = [...new Map(images.map((image) => [image.scaleMs, image])).values()]
  const scaleMs = (images[0]?.scaleMs ?? []).map((_, k) =>
    rounded(batches.reduce((sum, batch) => sum + (batch.scaleMs[k] ?? 0), 0))
  )
  return {
    sample_ms: rounded(scaleMs.reduce((sum, ms) => sum + ms, 0)),
    scale_ms: scaleMs,
    decode_ms: rounded(batches.reduce((sum, { decodeMs }) => sum + decodeMs, 0)),
    batch_size: Math.max(...images.map(({ batchSize }) => batchSize))
  }
}

/** The API checked the request against a model; this runner's may be another by now. */
const checkInput = ({ class_label: label, top_k: topK, model_revision: revision }: GenerationInput, model: OpenModel): void => {
  const { manifest, shape } = model
  if (revision !== manifest.revision) {
    throw new JobError(
      'model_not_served',
      `No runner serves revision ${revision} of ${manifest.id}; this one has ${manifest.revision}.`
    )
  }
  if (label !== null && label >= shape.transformer.classes)
    throw new JobError('invalid_job', `${manifest.id} has no class ${label}.`)
  if (topK > shape.tokenizer.vocabulary)
    throw new JobError('invalid_job', `top_k ${topK} exceeds the vocabulary of ${manifest.id}.`)
}

const generate = async (job: GenerationJob, payload: GenerateImagePayload, context: JobContext, signal: AbortSignal) => {
  const { input } = payload
  const model = context.models.get(input.model)
  if (!model) throw new JobError('model_not_served', `No runner serves the model ${input.model} at present.`)
  checkInput(input, model)
  const side = model.shape.resolution
  const tracker = trackProgress(model.shape.scales, input.num_images, job.report)
  const images = await sampleAll(job, payload, context, tracker, signal)
  tracker.stage('encoding')
  const encoding = images.map(({ pixels }, index) => encodePicture(pixels, side, seedOf(payload, index), input))
  const [pictures, encodeMs] = await timed(Promise.all(encoding))
  signal.throwIfAborted()
  tracker.stage('uploading')
  const [, uploadMs] = await timed(storeAll(job, payload, pictures, context.store, signal))
  const metrics: RunnerMetrics = { ...sampleMetrics(images), encode_ms: rounded(encodeMs), upload_ms: rounded(uploadMs) }
  const outputs = pictures.map((picture, index) => storedOutput(job.id, payload, side, picture, index))
  return { outcome: 'succeeded', outputs, metrics } satisfies GenerateImageResult
}

/**
 * Carries one generation from its payload to stored pictures.
 * @throws JobError when it cannot, and the reason of `signal` when that is aborted.
 */
export const processJob = async (job: GenerationJob, context: JobContext, signal: AbortSignal): Promise<GenerateImageResult> => {
  const controller = new AbortController()
  const stopWatching = context.cancels.watch(job.id, controller)
  try {
    // After the watch has begun, so that a request between the two is not missed.
    if (await context.cancels.isCanceled(job.id)) return { outcome: 'canceled' }
    return await generate(job, parsePayload(job.data), context, AbortSignal.any([signal, controller.signal]))
  } catch (error) {
    if (error instanceof CancelRequested) return { outcome: 'canceled' }
    throw error
  } finally {
    stopWatching()
    // Whatever of this attempt still waits or is sampled has nobody left to wait for it.
    controller.abort(new AttemptOver())
  }
}
