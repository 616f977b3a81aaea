import type { Tensor } from 'onnxruntime-node'
import { pastName, presentName } from '../graphs/step.ts'
import type { Engine } from './engine.ts'
import { tokenUniform } from './philox.ts'
import type { ScalePlan } from './scale-plan.ts'
import { byteData, floatData, floats, indexData, ints, pick, takeRows, zeros } from './tensors.ts'

/** One image of a batch. */
export interface ImageRequest {
  /** uint32 */
  seed: number
  /** Class index, or null for unconditional. */
  label: number | null
  cfg: number
  /** 0 = off */
  topK: number
  /** 1 = off */
  topP: number
  /** Gumbel blending of codes. */
  smooth: boolean
  /**
   * Per-scale settings that override the ones above; each array has one entry per scale. `cfg[k]` is the strength at scale
   * k itself, without the ramp.
   */
  schedule: ImageSchedule | null
}

export interface ImageSchedule {
  cfg?: readonly number[]
  topK?: readonly number[]
  topP?: readonly number[]
  label?: readonly (number | null)[]
}

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

export interface SampleOptions {
  wantLogits?: boolean
  /** Called after each scale; the images it names are dropped from the batch. */
  afterScale?: (report: ScaleReport) => Promise<ReadonlySet<number>>
}

export interface SampledImage {
  /** Index in the batch as asked for. */
  index: number
  /** RGB, resolution x resolution x 3. */
  pixels: Uint8Array
  /** Drawn tokens of all scales, one after another, row-major in each. */
  tokens: Int32Array
}

export interface SampleResult {
  images: SampledImage[]
  scaleMs: number[]
  decodeMs: number
}

/** All that a scale leaves for the next. Rows 0..B-1 are conditional; guided images have one more row each. */
interface BatchState {
  images: { index: number; request: ImageRequest; drawn: Int32Array[] }[]
  /** Row of each image's unconditional branch; its own row when it is not guided. */
  unconditionalRow: number[]
  modulation: Tensor
  headModulation: Tensor
  x: Tensor
  /** Entry of x that each row reads. */
  xRow: number[]
  fHat: Tensor
  cache: Record<string, Tensor>
}

/** Whether an image has an unconditional row: whether any of its scales may be guided. */
const isGuided = ({ cfg, label, schedule }: ImageRequest) =>
  (schedule?.cfg ?? [cfg]).some((strength) => strength > 0) && (schedule?.label ?? [label]).some((each) => each !== null)

const labelAt = ({ label, schedule }: ImageRequest, scale: number) => (schedule?.label ? (schedule.label[scale] ?? null) : label)

const guidanceAt = (request: ImageRequest, plan: ScalePlan, scale: number) =>
  labelAt(request, scale) === null ? 0 : (request.schedule?.cfg?.[scale] ?? request.cfg * plan.guidanceShare)

/** One row per image, then one per guided image. */
const rowsOf = (images: BatchState['images']) => {
  const guided = images.flatMap(({ request }, image) => (isGuided(request) ? [image] : []))
  const imageOfRow = [...images.keys(), ...guided]
  const unconditionalRow = [...images.keys()]
  guided.forEach((image, order) => (unconditionalRow[image] = images.length + order))
  return { imageOfRow, unconditionalRow }
}

/** AdaLN parameters of every row at a scale, and the first token map of those rows. */
const runCondition = ({ model, condition }: Engine, images: BatchState['images'], scale: number) => {
  const { classes } = model.shape.transformer
  const labels = rowsOf(images).imageOfRow.map((image, row) => {
    const request = row < images.length ? images[image]?.request : undefined
    return (request && labelAt(request, scale)) ?? classes
  })
  return condition.run({ labels: ints(labels) })
}

const startBatch = async (engine: Engine, requests: readonly ImageRequest[]): Promise<BatchState> => {
  const { model } = engine
  const { side } = model.shape
  const { depth, heads, headWidth } = model.shape.transformer
  const images = requests.map((request, index) => ({ index, request, drawn: [] }))
  const { imageOfRow, unconditionalRow } = rowsOf(images)
  const outputs = await runCondition(engine, images, 0)
  const names = Array.from({ length: depth }, (_, block) => [pastName('k', block), pastName('v', block)]).flat()
  return {
    images,
    unconditionalRow,
    modulation: pick(outputs, 'modulation'),
    headModulation: pick(outputs, 'head_modulation'),
    x: pick(outputs, 'x'),
    xRow: [...imageOfRow.keys()],
    fHat: zeros([images.length, model.shape.tokenizer.channels, side, side]),
    cache: Object.fromEntries(names.map((name) => [name, zeros([imageOfRow.length, heads, 0, headWidth])]))
  }
}

const drawFeeds = ({ images, unconditionalRow }: BatchState, plan: ScalePlan, scale: number, vocabulary: number) => {
  const count = images.length
  const perImage = (value: (request: ImageRequest) => number) => images.map(({ request }) => value(request))
  const kept = perImage(({ topK, schedule }) => (schedule?.topK?.[scale] ?? topK) || vocabulary)
  const mass = perImage(({ topP, schedule }) => schedule?.topP?.[scale] ?? topP)
  const tokens = plan.side ** 2
  const uniform = new Float32Array(count * tokens)
  images.forEach(({ request }, image) => {
    for (let position = 0; position < tokens; position++)
      uniform[image * tokens + position] = tokenUniform(request.seed, scale, position)
  })
  const knobs = [count, 1, 1]
  return {
    conditional_row: ints([...images.keys()]),
    unconditional_row: ints(unconditionalRow),
    guidance: floats(Float32Array.from(perImage((request) => guidanceAt(request, plan, scale))), knobs),
    last_kept: ints(
      kept.map((k) => k - 1),
      knobs
    ),
    sort_length: ints([Math.max(...kept)]),
    // Rounding must not cost the least likely token its place when top-p is off.
    top_p: floats(
      Float32Array.from(mass, (topP) => (topP >= 1 ? 2 : topP)),
      knobs
    ),
    uniform: floats(uniform, [count, tokens, 1])
  }
}

const runScale = async (engine: Engine, state: BatchState, plan: ScalePlan, scale: number, wantLogits: boolean) => {
  const { depth } = engine.model.shape.transformer
  const isLast = scale === engine.model.shape.scales.length - 1
  if (scale > 0 && state.images.some(({ request }) => request.schedule?.label)) {
    const outputs = await runCondition(engine, state.images, scale)
    state.modulation = pick(outputs, 'modulation')
    state.headModulation = pick(outputs, 'head_modulation')
  }
  const feeds = {
    x: state.x,
    x_row: ints(state.xRow),
    modulation: state.modulation,
    head_modulation: state.headModulation,
    f_hat: state.fHat,
    ...state.cache,
    ...plan.feeds,
    ...drawFeeds(state, plan, scale, engine.model.shape.tokenizer.vocabulary)
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
  state.modulation = takeRows(state.modulation, keptRows)
  state.headModulation = takeRows(state.headModulation, keptRows)
  state.cache = Object.fromEntries(Object.entries(state.cache).map(([name, tensor]) => [name, takeRows(tensor, keptRows)]))
}

const perImageMap = <T extends Float32Array | Int32Array>(state: BatchState, data: T): Map<number, T> => {
  const length = data.length / state.images.length
  return new Map(state.images.map(({ index }, image) => [index, data.subarray(image * length, (image + 1) * length) as T]))
}

const decode = async (engine: Engine, state: BatchState): Promise<SampledImage[]> => {
  const pixels = byteData(pick(await engine.decoder.run({ f_hat: state.fHat }), 'pixels'))
  const length = pixels.length / state.images.length
  return state.images.map(({ index, drawn }, image) => ({
    index,
    pixels: pixels.slice(image * length, (image + 1) * length),
    tokens: Int32Array.from(drawn.flatMap((map) => [...map]))
  }))
}

/**
 * Samples a batch of images, scale by scale. An image depends on its own request alone.
 * @throws whatever the runtime throws; the batch is then lost as a whole.
 */
export const sampleBatch = async (
  engine: Engine,
  requests: readonly ImageRequest[],
  { wantLogits = false, afterScale }: SampleOptions = {}
): Promise<SampleResult> => {
  const scaleMs: number[] = []
  const state = await startBatch(engine, requests)
  for (const [scale, plan] of engine.plans.entries()) {
    const begun = performance.now()
    const outputs = await runScale(engine, state, plan, scale, wantLogits)
    const elapsedMs = performance.now() - begun
    scaleMs.push(elapsedMs)
    const tokens = perImageMap(state, indexData(pick(outputs, 'tokens')))
    for (const { index, drawn } of state.images) drawn.push(tokens.get(index) ?? new Int32Array())
    const dropped = await afterScale?.({
      scale,
      elapsedMs,
      tokens,
      logits: wantLogits ? perImageMap(state, floatData(pick(outputs, 'logits'))) : new Map(),
      fHat: perImageMap(state, floatData(state.fHat))
    })
    if (dropped?.size) dropImages(state, dropped)
    if (state.images.length === 0) return { images: [], scaleMs, decodeMs: 0 }
  }
  const begun = performance.now()
  const images = await decode(engine, state)
  return { images, scaleMs, decodeMs: performance.now() - begun }
}
