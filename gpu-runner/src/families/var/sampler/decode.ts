import type { Tensor } from 'onnxruntime-node'
import type { Picture } from '../../../image/picture.ts'
import { byteData, pick, takeRows } from '../../../onnx/tensors.ts'
import type { SampledImage, SampledPreview } from '../../open-sampler.ts'
import type { Batch } from './batch.ts'
import type { Engine } from './engine.ts'

/** An image whose scales are done; it has left the batch and waits for the decoder. */
export interface FinishedImage {
  index: number
  /** Running sum, [1, channels, side, side]. */
  fHat: Tensor
  tokens: Int32Array
}

/** One image at a time: what the decoder needs of memory does not grow with the batch. */
const decode = async ({ model, decoder }: Engine, fHat: Tensor): Promise<Picture> => ({
  pixels: byteData(pick(await decoder.run({ f_hat: fHat }), 'pixels')),
  width: model.shape.resolution,
  height: model.shape.resolution
})

export const decodeAll = async (engine: Engine, finished: readonly FinishedImage[]): Promise<SampledImage[]> => {
  const sampled: SampledImage[] = []
  for (const { index, fHat, tokens } of finished) sampled.push({ index, ...(await decode(engine, fHat)), tokens })
  return sampled.toSorted((a, b) => a.index - b.index)
}

/** Decodes the running sums of the images that ask for it at this scale. It only reads what is carried on. */
export const decodePreviews = async (
  engine: Engine,
  { images, fHat }: Batch,
  scale: number,
  onPreview: (preview: SampledPreview) => void
): Promise<void> => {
  if (scale === engine.plans.length - 1) return
  for (const [position, { index, request }] of images.entries()) {
    if (!request.previews?.includes(scale)) continue
    const begun = performance.now()
    const picture = await decode(engine, takeRows(fHat, [position]))
    onPreview({ index, scale, ...picture, decodeMs: performance.now() - begun })
  }
}
