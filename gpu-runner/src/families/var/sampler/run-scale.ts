import { discard, indexData, floatData, ints, pick } from '../../../onnx/tensors.ts'
import { cacheNames } from '../graphs/step.ts'
import { type Batch, drawnImages, rowsOf } from './batch.ts'
import { drawFeeds } from './draw-feeds.ts'
import type { Engine } from './engine.ts'

/** What one scale drew and left. */
export interface DrawnScale {
  /** [B, n^2] */
  tokens: Int32Array
  /** After guidance, [B, n^2, vocabulary]. Only when asked for. */
  logits: Float32Array | undefined
  batch: Batch
}

interface ScaleRun {
  scale: number
  /** No image goes on: what the next scale would need is not computed. */
  isLast: boolean
  wantLogits: boolean
}

/**
 * One step of the transformer: draws the token map r_k given all before it, adds phi_k of its codes, brought to full size,
 * to f_hat, and embeds f_hat at the size of the next scale. Takes the batch's keys and values over.
 */
export const runScale = async (engine: Engine, batch: Batch, { scale, isLast, wantLogits }: ScaleRun): Promise<DrawnScale> => {
  const { tokenizer, transformer } = engine.model.shape
  const plan = engine.plans[scale]
  if (!plan) throw new RangeError(`the model has no scale ${scale}`)
  const rows = rowsOf(batch.images)
  const feeds = {
    x: batch.x,
    x_row: ints(scale === 0 ? [...rows.keys()] : rows.map(({ position }) => position)),
    modulation: batch.modulation,
    head_modulation: batch.headModulation,
    f_hat: batch.fHat,
    ...batch.cache,
    ...plan.feeds,
    ...drawFeeds(drawnImages(batch.images), plan, scale, tokenizer.vocabulary)
  }
  const names = cacheNames(transformer.depth)
  // Only what is read is fetched: every output that crosses into JavaScript is copied.
  const next = isLast ? [] : ['next_x', ...names.map(({ present }) => present)]
  const outputs = await engine.step.run(feeds, ['tokens', 'next_f_hat', ...(wantLogits ? ['logits'] : []), ...next])
  const drawn = {
    tokens: indexData(pick(outputs, 'tokens')),
    logits: wantLogits ? floatData(pick(outputs, 'logits')) : undefined
  }
  const fHat = pick(outputs, 'next_f_hat')
  if (isLast) return { ...drawn, batch: { ...batch, fHat } }
  Object.values(batch.cache).forEach(discard)
  const cache = Object.fromEntries(names.map(({ past, present }) => [past, pick(outputs, present)]))
  return { ...drawn, batch: { ...batch, x: pick(outputs, 'next_x'), fHat, cache } }
}
