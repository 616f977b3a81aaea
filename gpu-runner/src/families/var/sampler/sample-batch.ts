import { floatData, takeRows, zeros } from '../../../onnx/tensors.ts'
import type { SampleOptions, SampleResult } from '../../open-sampler.ts'
import { cacheNames } from '../graphs/step.ts'
import { type Batch, type BatchImage, rowsOf, withoutImages } from './batch.ts'
import { firstCondition, followLabels } from './condition-rows.ts'
import { decodeAll, decodePreviews, type FinishedImage } from './decode.ts'
import type { Engine } from './engine.ts'
import { type ImageRequest, isGuided } from './image-request.ts'
import { runScale } from './run-scale.ts'

export interface ScaleReport {
  scale: number
  elapsedMs: number
  /** Tokens of the images still in the batch, each n^2 of them; by index in the batch as asked for. */
  tokens: ReadonlyMap<number, Int32Array>
  /** After guidance, [n^2, vocabulary] each. Only when asked for. */
  logits: ReadonlyMap<number, Float32Array>
  /** Running sums, [channels, side, side] each. */
  fHat: ReadonlyMap<number, Float32Array>
}

export interface BatchOptions extends Pick<SampleOptions, 'onPreview'> {
  wantLogits?: boolean
  /** Called after each scale; the images it names are dropped from the batch. */
  afterScale?: (report: ScaleReport) => Promise<ReadonlySet<number>>
}

/** No token is drawn: f_hat is 0, and the transformer begins with the class alone. */
const startBatch = async (engine: Engine, requests: readonly ImageRequest[]): Promise<Batch> => {
  const { side, tokens, tokenizer, transformer } = engine.model.shape
  const { depth, heads, headWidth } = transformer
  const images = requests.map((request, index) => ({
    index,
    request,
    isGuided: isGuided(request, engine.plans),
    tokens: new Int32Array(tokens)
  }))
  return {
    images,
    ...(await firstCondition(engine, images)),
    fHat: zeros([images.length, tokenizer.channels, side, side]),
    cache: Object.fromEntries(cacheNames(depth).map(({ past }) => [past, zeros([rowsOf(images).length, heads, 0, headWidth])]))
  }
}

/** Drafts are finished before the last scale. */
const isFinishedAfter = ({ plans }: Engine, { request }: BatchImage, scale: number): boolean =>
  scale >= Math.min(request.stopAtScale ?? plans.length - 1, plans.length - 1)

/** What there is of each image, by its index. */
const byImage = <T extends Float32Array | Int32Array>({ images }: Batch, data: T): Map<number, T> => {
  const length = data.length / images.length
  return new Map(images.map(({ index }, position) => [index, data.subarray(position * length, (position + 1) * length) as T]))
}

/** Parts a batch after a scale into the images that are done, with the tokens up to there, and those that go on. */
const takeFinished = (engine: Engine, batch: Batch, scale: number): { finished: FinishedImage[]; batch: Batch } => {
  const drawn = engine.plans[scale]?.end
  const finished = batch.images.flatMap((image, position) =>
    isFinishedAfter(engine, image, scale)
      ? [{ index: image.index, fHat: takeRows(batch.fHat, [position]), tokens: image.tokens.slice(0, drawn) }]
      : []
  )
  return { finished, batch: withoutImages(batch, new Set(finished.map(({ index }) => index))) }
}

/**
 * Samples a batch of images, scale by scale. An image depends on its own request alone, and drafts leave when they are done.
 * @throws whatever the runtime throws; the batch is then lost as a whole.
 */
export const sampleBatch = async (
  engine: Engine,
  requests: readonly ImageRequest[],
  { wantLogits = false, onPreview, afterScale }: BatchOptions = {}
): Promise<SampleResult> => {
  const scaleMs: number[] = []
  const done: FinishedImage[] = []
  const dropped = new Set<number>()
  let batch = await startBatch(engine, requests)
  for (const [scale, { begin }] of engine.plans.entries()) {
    const begun = performance.now()
    const isLast = batch.images.every((image) => isFinishedAfter(engine, image, scale))
    const drawn = await runScale(engine, await followLabels(engine, batch, scale), { scale, isLast, wantLogits })
    batch = drawn.batch
    const elapsedMs = performance.now() - begun
    scaleMs.push(elapsedMs)
    const tokens = byImage(batch, drawn.tokens)
    for (const image of batch.images) image.tokens.set(tokens.get(image.index) ?? [], begin)
    const logits = drawn.logits ? byImage(batch, drawn.logits) : new Map<number, Float32Array>()
    const left = await afterScale?.({ scale, elapsedMs, tokens, logits, fHat: byImage(batch, floatData(batch.fHat)) })
    left?.forEach((index) => dropped.add(index))
    const parted = takeFinished(engine, withoutImages(batch, dropped), scale)
    batch = parted.batch
    done.push(...parted.finished)
    if (batch.images.length === 0) break
    if (onPreview) await decodePreviews(engine, batch, scale, onPreview)
  }
  const begun = performance.now()
  const wanted = done.filter(({ index }) => !dropped.has(index))
  const images = await decodeAll(engine, wanted)
  return { images, scaleMs, decodeMs: performance.now() - begun }
}
