import { InferenceSession } from '../../../onnx/onnxruntime.ts'
import { fusedGraph } from '../graphs/fused.ts'
import type { OpenModel } from '../model/open-model.ts'
import { openOnDevice } from '../../../sampler/cuda-failure.ts'
import type { FusedOptions } from '../../../sampler/sampler-form.ts'
import { drawFeeds } from './draw-feeds.ts'
import { type ImageRequest, isGuided, labelAt } from './image-request.ts'
import type { SampledImage, SampleResult } from '../../open-sampler.ts'
import { type ScalePlan, scalePlans } from './scale-plan.ts'
import { byteData, floatData, floats, indexData, ints, pick } from '../../../onnx/tensors.ts'

/** A model whose images are sampled and decoded in one run. */
export interface FusedEngine {
  model: OpenModel
  session: InferenceSession
  plans: readonly ScalePlan[]
  ladder: readonly number[]
  release(): Promise<void>
}

/** Joins what each scale is fed: [B, ...] of every scale to [S, B, ...]. */
const stack = (perScale: readonly ReturnType<typeof drawFeeds>[], count: number) => {
  const numbers = (name: 'guidance' | 'top_p') => {
    const data = Float32Array.from(perScale.flatMap((feeds) => [...floatData(feeds[name])]))
    return floats(data, [perScale.length, count, 1, 1])
  }
  const lastKept = perScale.flatMap(({ last_kept }) => [...indexData(last_kept)])
  const sortLength = perScale.flatMap(({ sort_length }) => [...indexData(sort_length)])
  return {
    guidance: numbers('guidance'),
    top_p: numbers('top_p'),
    last_kept: ints(lastKept, [perScale.length, count, 1, 1]),
    sort_length: ints(sortLength, [perScale.length, 1])
  }
}

/** Joins [rows, n^2, C] of every scale along the tokens. */
const joinTokens = (parts: readonly { data: Float32Array; tokens: number }[], rows: number, width: number) => {
  const total = parts.reduce((sum, { tokens }) => sum + tokens, 0)
  const joined = new Float32Array(rows * total * width)
  let begin = 0
  for (const { data, tokens } of parts) {
    for (let row = 0; row < rows; row++) {
      joined.set(data.subarray(row * tokens * width, (row + 1) * tokens * width), (row * total + begin) * width)
    }
    begin += tokens
  }
  return floats(joined, [rows, total, width])
}

/** Every image has two rows, so that a rung of the ladder has one shape: an unguided image's second row is not read. */
const feedsOf = ({ model, plans }: FusedEngine, requests: readonly ImageRequest[]) => {
  const count = requests.length
  const { vocabulary } = model.shape.tokenizer
  const { classes } = model.shape.transformer
  const images = [...requests.keys()]
  const drawn = requests.map((request, place) => ({
    request,
    unconditionalRow: isGuided(request, plans) ? count + place : place
  }))
  const perScale = plans.map((plan, scale) => drawFeeds(drawn, plan, scale, vocabulary))
  const [first] = perScale
  if (!first) throw new RangeError('a model has at least one scale')
  const labels = plans.flatMap((_, scale) => [
    ...requests.map((request) => labelAt(request, scale) ?? classes),
    ...requests.map(() => classes)
  ])
  const parts = (name: 'uniform' | 'gumbel') =>
    perScale.map((feeds, scale) => ({ data: floatData(feeds[name]), tokens: (plans[scale]?.side ?? 0) ** 2 }))
  const { conditional_row, unconditional_row, smooth_image, code_row } = first
  return {
    labels: ints(labels, [plans.length, 2 * count]),
    x_row: ints([...images, ...images]),
    conditional_row,
    unconditional_row,
    smooth_image,
    code_row,
    ...stack(perScale, count),
    uniform: joinTokens(parts('uniform'), count, 1),
    gumbel: joinTokens(parts('gumbel'), smooth_image.size, vocabulary)
  }
}

/**
 * Samples and decodes a batch in one run. The batch is filled up to a rung of the ladder with copies of its last image.
 * @throws RangeError for a batch above the ladder's last rung, and whatever the runtime throws.
 */
export const sampleFused = async (engine: FusedEngine, requests: readonly ImageRequest[]): Promise<SampleResult> => {
  const rung = engine.ladder.find((size) => size >= requests.length)
  const last = requests.at(-1)
  if (rung === undefined || last === undefined) {
    throw new RangeError(`a batch has 1 to ${engine.ladder.at(-1)} images, not ${requests.length}`)
  }
  const filled = [...requests, ...new Array<ImageRequest>(rung - requests.length).fill(last)]
  const begun = performance.now()
  const outputs = await engine.session.run(feedsOf(engine, filled))
  const elapsedMs = performance.now() - begun
  const tokens = indexData(pick(outputs, 'tokens'))
  const pixels = byteData(pick(outputs, 'pixels'))
  const [tokenCount, pixelBytes] = [tokens.length / rung, pixels.length / rung]
  const images = requests.map((_, index): SampledImage => ({
    index,
    width: engine.model.shape.resolution,
    height: engine.model.shape.resolution,
    pixels: pixels.slice(index * pixelBytes, (index + 1) * pixelBytes),
    tokens: tokens.slice(index * tokenCount, (index + 1) * tokenCount)
  }))
  return { images, scaleMs: [elapsedMs], decodeMs: 0 }
}

const WARM_UP: ImageRequest = { seed: 0, label: null, cfg: 0, topK: 0, topP: 1, smooth: false, schedule: null }

/**
 * Loads a model as one graph, and runs every rung of the ladder once: the CUDA provider tunes each new shape at its first run.
 * All rungs share one session, and so one copy of the weights.
 * @throws ModelError naming a missing tensor or a wrong shape.
 */
export const createFusedEngine = async (model: OpenModel, { provider, float, ladder }: FusedOptions): Promise<FusedEngine> => {
  const options: InferenceSession.SessionOptions = {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    // In half precision the runtime warns of every constant it has no CPU kernel to fold for.
    logSeverityLevel: 3,
    extra: { session: { model_external_initializers_file_folder_path: model.folder } }
  }
  const session = await openOnDevice(provider, () => InferenceSession.create(fusedGraph(model, float), options))
  const engine = { model, session, plans: scalePlans(model.shape), ladder, release: () => session.release() }
  try {
    for (const size of ladder) await sampleFused(engine, new Array<ImageRequest>(size).fill(WARM_UP))
    return engine
  } catch (error) {
    await session.release()
    throw error
  }
}
