import { levelBlocks, middleBlocks, outputBlock } from './blocks.ts'
import { convolve } from './layers.ts'
import { channel, type FeatureMap, featureMap, pixelRows } from './tensors.ts'
import type { Reference } from './weights.ts'

/** Every pixel becomes four. */
const doubled = (x: FeatureMap): FeatureMap => {
  const result = featureMap(x.channels, 2 * x.side)
  for (let c = 0; c < x.channels; c++) {
    const [from, to] = [channel(x, c), channel(result, c)]
    for (let i = 0; i < to.length; i++) {
      const [y, z] = [Math.floor(i / result.side), i % result.side]
      to[i] = from[Math.floor(y / 2) * x.side + Math.floor(z / 2)] ?? 0
    }
  }
  return result
}

/** The running sum [channels, side, side] to an image [3, resolution, resolution] near [-1, 1]. */
export const decodeReference = ({ shape, tokenizer: weights }: Reference, fHat: FeatureMap): FeatureMap => {
  let x = convolve(weights, 'post_quant_conv', fHat)
  x = middleBlocks(weights, 'decoder.mid', convolve(weights, 'decoder.conv_in', x))
  for (let level = shape.tokenizer.levels - 1; level >= 0; level--) {
    x = levelBlocks(weights, `decoder.up.${level}`, x)
    if (level > 0) x = convolve(weights, `decoder.up.${level}.upsample.conv`, doubled(x))
  }
  return outputBlock(weights, 'decoder', x)
}

/** RGB bytes [resolution, resolution, 3] of an image [3, resolution, resolution] in [-1, 1], clamped and truncated. */
export const pixelBytes = (image: FeatureMap): Uint8Array =>
  Uint8Array.from(pixelRows(image).data, (value) => Math.trunc(((Math.max(-1, Math.min(1, value)) + 1) / 2) * 255))
