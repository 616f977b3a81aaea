import type { Tensor } from 'onnxruntime-node'
import { pastName, presentName } from '../graphs/step.ts'
import { drawFeeds } from './draw-feeds.ts'
import type { Picture } from '../../../image/picture.ts'
import type { SampledImage, SampleOptions, SampleResult } from '../../open-sampler.ts'
import type { Engine } from './engine.ts'
import { type ImageRequest, isGuided, labelAt } from './image-request.ts'
import type { ScalePlan } from './scale-plan.ts'
import { byteData, discard, floatData, indexData, ints, pick, takeRows, zeros } from '../../../onnx/tensors.ts'

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

/** All that a scale leaves for the next. Rows 0..B-1 are conditional; guided images have one more row each. */
interface BatchState {
  images: { index: number; request: ImageRequest; guided: boolean; tokens: Int32Array }[]
  /** Row of each image's unconditional branch; its own row when it is not guided. */
  unconditionalRow: number[]
  /** Class of each row that the modulations below are of. */
  labels: readonly number[]
  modulation: Tensor
  headModulation: Tensor
  x: Tensor
  /** Entry of x that each row reads. */
  xRow: number[]
  fHat: Tensor
  cache: Record<string, Tensor>
}

/** One row per image, then one per guided image. */
const rowsOf = (images: BatchState['images']) => {
  const guided = images.flatMap((image, position) => (image.guided ? [position] : []))
  const imageOfRow = [...images.keys(), ...guided]
  const unconditionalRow = [...images.keys()]
  guided.forEach((image, order) => (unconditionalRow[image] = images.length + order))
  return { imageOfRow, unconditionalRow }
}

/** Class of each row at a scale; the unconditional one has the index after the last. */
const labelsAt = (images: BatchState['images'], scale: number, unconditional: number): number[] => {
  const { imageOfRow } = rowsOf(images)
  return imageOfRow.map((image, row) => {
    const request = row < images.length ? images[image]?.request : undefined
    return (request && labelAt(request, scale)) ?? unconditional
  })
}

/** A single row is computed as one of two: the runtime's kernel for one row alone sums in another order. */
const conditionOn = async ({ condition }: Engine, labels: readonly number[]) => {
  const outputs = await condition.run({ labels: ints(labels.length === 1 ? [...labels, ...labels] : labels) })
  const rows = (name: string) => takeRows(pick(outputs, name), [...labels.keys()])
  return { labels, modulation: rows('modulation'), headModulation: rows('head_modulation'), x: rows('x') }
}

const startBatch = async (engine: Engine, requests: readonly ImageRequest[]): Promise<BatchState> => {
  const { side, tokens, tokenizer, transformer } = engine.model.shape
  const { depth, heads, headWidth, classes } = transformer
  const images = requests.map((request, index) => ({
    index,
    request,
    guided: isGuided(request, engine.plans),
    tokens: new Int32Array(tokens)
  }))
  const { imageOfRow, unconditionalRow } = rowsOf(images)
  const names = Array.from({ length: depth }, (_, block) => [pastName('k', block), pastName('v', block)]).flat()
  return {
    images,
    unconditionalRow,
    ...(await conditionOn(engine, labelsAt(images, 0, classes))),
    xRow: [...imageOfRow.keys()],
    fHat: zeros([images.length, tokenizer.channels, side, side]),
    cache: Object.fromEntries(names.map((name) => [name, zeros([imageOfRow.length, heads, 0, headWidth])]))
  }
}

/** A schedule may change classes between scales. */
const followLabels = async (engine: Engine, state: BatchState, scale: number): Promise<void> => {
  const labels = labelsAt(state.images, scale, engine.model.shape.transformer.classes)
  if (labels.every((label, row) => label === state.labels[row])) return
  const { modulation, headModulation } = await conditionOn(engine, labels)
  Object.assign(state, { labels, modulation, headModulation })
}

/** Drafts are finished before the last scale. */
const isFinishedAfter = ({ plans }: Engine, { stopAtScale = plans.length - 1 }: ImageRequest, scale: number): boolean =>
  scale >= Math.min(stopAtScale, plans.length - 1)

const runScale = async (engine: Engine, state: BatchState, plan: ScalePlan, scale: number, wantLogits: boolean) => {
  const { depth } = engine.model.shape.transformer
  const isLast = state.images.every(({ request }) => isFinishedAfter(engine, request, scale))
  const feeds = {
    x: state.x,
    x_row: ints(state.xRow),
    modulation: state.modulation,
    head_modulation: state.headModulation,
    f_hat: state.fHat,
    ...state.cache,
    ...plan.feeds,
    ...drawFeeds(
      { requests: state.images.map(({ request }) => request), unconditionalRow: state.unconditionalRow },
      plan,
      scale,
      engine.model.shape.tokenizer.vocabulary
    )
  }
  const presents = Array.from({ length: depth }, (_, block) => [presentName('k', block), presentName('v', block)]).flat()
  // Only what is read is fetched: every output that crosses into JavaScript is copied.
  const wanted = ['tokens', 'next_f_hat', ...(wantLogits ? ['logits'] : []), ...(isLast ? [] : ['next_x', ...presents])]
  const outputs = await engine.step.run(feeds, wanted)
  state.fHat = pick(outputs, 'next_f_hat')
  if (!isLast) {
    const { imageOfRow } = rowsOf(state.images)
    state.x = pick(outputs, 'next_x')
    state.xRow = imageOfRow
    Object.values(state.cache).forEach(discard)
    state.cache = Object.fromEntries(presents.map((name) => [name.replace('present', 'past'), pick(outputs, name)]))
  }
  return outputs
}

/** Takes images out of the batch: their rows go from everything that is carried on. */
const dropImages = (state: BatchState, dropped: ReadonlySet<number>): void => {
  const keptImages = [...state.images.keys()].filter((image) => !dropped.has(state.images[image]?.index ?? -1))
  if (keptImages.length === state.images.length) return
  const { imageOfRow } = rowsOf(state.images)
  const keptRows = [...imageOfRow.keys()].filter((row) => keptImages.includes(imageOfRow[row] ?? -1))
  state.images = state.images.filter((_, image) => keptImages.includes(image))
  const next = rowsOf(state.images)
  state.unconditionalRow = next.unconditionalRow
  state.xRow = next.imageOfRow
  state.x = takeRows(state.x, keptImages)
  state.fHat = takeRows(state.fHat, keptImages)
  state.labels = keptRows.map((row) => state.labels[row] ?? 0)
  state.modulation = takeRows(state.modulation, keptRows)
  state.headModulation = takeRows(state.headModulation, keptRows)
  const whole = state.cache
  state.cache = Object.fromEntries(Object.entries(whole).map(([name, tensor]) => [name, takeRows(tensor, keptRows)]))
  Object.values(whole).forEach(discard)
}

const perImageMap = <T extends Float32Array | Int32Array>(state: BatchState, data: T): Map<number, T> => {
  const length = data.length / state.images.length
  return new Map(state.images.map(({ index }, image) => [index, data.subarray(image * length, (image + 1) * length) as T]))
}

/** An image whose scales are done; it has left the batch and waits for the decoder. */
interface FinishedImage {
  index: number
  /** Running sum, [1, channels, side, side]. */
  fHat: Tensor
  tokens: Int32Array
}

/** Takes the images that are done after a scale, `drawn` tokens each, out of the batch. */
const takeFinished = (engine: Engine, state: BatchState, scale: number, drawn: number): FinishedImage[] => {
  const finished = state.images.flatMap(({ index, request, tokens }, position) =>
    isFinishedAfter(engine, request, scale)
      ? [{ index, fHat: takeRows(state.fHat, [position]), tokens: tokens.slice(0, drawn) }]
      : []
  )
  dropImages(state, new Set(finished.map(({ index }) => index)))
  return finished
}

/** One image at a time: what the decoder needs of memory does not grow with the batch. */
const decodeSum = async ({ model, decoder }: Engine, fHat: Tensor): Promise<Picture> => ({
  pixels: byteData(pick(await decoder.run({ f_hat: fHat }), 'pixels')),
  width: model.shape.resolution,
  height: model.shape.resolution
})

const decode = async (engine: Engine, finished: readonly FinishedImage[]): Promise<SampledImage[]> => {
  const sampled: SampledImage[] = []
  for (const { index, fHat, tokens } of finished) {
    sampled.push({ index, ...(await decodeSum(engine, fHat)), tokens })
  }
  return sampled.toSorted((a, b) => a.index - b.index)
}

/** Decodes the running sums of the images that ask for it at this scale. It only reads what is carried on. */
const decodePreviews = async (
  engine: Engine,
  state: BatchState,
  scale: number,
  onPreview: NonNullable<SampleOptions['onPreview']>
): Promise<void> => {
  if (scale === engine.plans.length - 1) return
  for (const [position, { index, request }] of state.images.entries()) {
    if (!request.previews?.includes(scale)) continue
    const begun = performance.now()
    const picture = await decodeSum(engine, takeRows(state.fHat, [position]))
    onPreview({ index, scale, ...picture, decodeMs: performance.now() - begun })
  }
}

/** Adds the tokens of one scale to what each image has drawn so far. */
const keepTokens = (state: BatchState, drawn: ReadonlyMap<number, Int32Array>, begin: number): void => {
  for (const { index, tokens } of state.images) tokens.set(drawn.get(index) ?? [], begin)
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
  const state = await startBatch(engine, requests)
  const finished: FinishedImage[] = []
  const dropped = new Set<number>()
  let begin = 0
  for (const [scale, plan] of engine.plans.entries()) {
    const begun = performance.now()
    await followLabels(engine, state, scale)
    const outputs = await runScale(engine, state, plan, scale, wantLogits)
    const elapsedMs = performance.now() - begun
    scaleMs.push(elapsedMs)
    const tokens = perImageMap(state, indexData(pick(outputs, 'tokens')))
    keepTokens(state, tokens, begin)
    begin += plan.side ** 2
    const left = await afterScale?.({
      scale,
      elapsedMs,
      tokens,
      logits: wantLogits ? perImageMap(state, floatData(pick(outputs, 'logits'))) : new Map(),
      fHat: perImageMap(state, floatData(state.fHat))
    })
    left?.forEach((index) => dropped.add(index))
    dropImages(state, dropped)
    finished.push(...takeFinished(engine, state, scale, begin))
    if (state.images.length === 0) break
    if (onPreview) await decodePreviews(engine, state, scale, onPreview)
  }
  const begun = performance.now()
  const images = await decode(
    engine,
    finished.filter(({ index }) => !dropped.has(index))
  )
  return { images, scaleMs, decodeMs: performance.now() - begun }
}
