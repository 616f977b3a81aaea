import { levelBlocks, middleBlocks, outputBlock } from './blocks.ts'
import { convolve } from './layers.ts'
import { type FeatureMap, mapOfRows, matrix } from './tensors.ts'
import type { Reference } from './weights.ts'

/** RGB bytes [resolution, resolution, 3] to an image [3, resolution, resolution] in [-1, 1]. */
const imageOf = (pixels: Uint8Array): FeatureMap =>
  mapOfRows(
    matrix(
      pixels.length / 3,
      3,
      Float64Array.from(pixels, (value) => (value / 255) * 2 - 1)
    )
  )

/** RGB bytes [resolution, resolution, 3] to the features [channels, side, side] that are to be quantised. */
export const encodeReference = ({ shape, tokenizer: weights }: Reference, pixels: Uint8Array): FeatureMap => {
  let x = convolve(weights, 'encoder.conv_in', imageOf(pixels))
  for (let level = 0; level < shape.tokenizer.levels; level++) {
    const name = `encoder.down.${level}`
    x = levelBlocks(weights, name, x)
    if (level === shape.tokenizer.levels - 1) break
    x = convolve(weights, `${name}.downsample.conv`, x, { stride: 2, padBefore: 0, padAfter: 1 })
  }
  return convolve(weights, 'quant_conv', outputBlock(weights, 'encoder', middleBlocks(weights, 'encoder.mid', x)))
}
