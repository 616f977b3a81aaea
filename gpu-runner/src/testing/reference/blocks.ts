import { convolve, dot, groupNorm, siluMap, softmax } from './layers.ts'
import { addMaps, type FeatureMap, mapOfRows, matrix, pixelRows, row, stack } from './tensors.ts'
import type { ReferenceWeights } from './weights.ts'

/** Group norm, SiLU, 3 x 3 convolution, twice, beside a skip connection. */
export const residualBlock = (weights: ReferenceWeights, name: string, x: FeatureMap): FeatureMap => {
  const half = (index: 1 | 2, input: FeatureMap) =>
    convolve(weights, `${name}.conv${index}`, siluMap(groupNorm(weights, `${name}.norm${index}`, input)))
  const skip = weights.has(`${name}.nin_shortcut.weight`) ? convolve(weights, `${name}.nin_shortcut`, x, { kernel: 1 }) : x
  return addMaps(skip, half(2, half(1, x)))
}

/** Single-head attention of every pixel over all pixels. */
export const attentionBlock = (weights: ReferenceWeights, name: string, x: FeatureMap): FeatureMap => {
  const qkv = pixelRows(convolve(weights, `${name}.qkv`, groupNorm(weights, `${name}.norm`, x), { kernel: 1 }))
  const part = (index: number, pixel: number) => row(qkv, pixel).subarray(index * x.channels, (index + 1) * x.channels)
  const attended = Array.from({ length: qkv.rows }, (_, pixel) => {
    const scores = Float64Array.from(
      { length: qkv.rows },
      (_, other) => dot(part(0, pixel), part(1, other)) / Math.sqrt(x.channels)
    )
    const mixed = new Float64Array(x.channels)
    softmax(scores).forEach((share, other) => part(2, other).forEach((value, i) => (mixed[i] = (mixed[i] ?? 0) + share * value)))
    return matrix(1, x.channels, mixed)
  })
  return addMaps(x, convolve(weights, `${name}.proj_out`, mapOfRows(stack(attended)), { kernel: 1 }))
}

/** The blocks `name.block.i` of one resolution level, each followed by `name.attn.i` where the file has one. */
export const levelBlocks = (weights: ReferenceWeights, name: string, x: FeatureMap): FeatureMap => {
  let y = x
  for (let block = 0; weights.has(`${name}.block.${block}.conv1.weight`); block++) {
    y = residualBlock(weights, `${name}.block.${block}`, y)
    if (weights.has(`${name}.attn.${block}.qkv.weight`)) y = attentionBlock(weights, `${name}.attn.${block}`, y)
  }
  return y
}

export const middleBlocks = (weights: ReferenceWeights, name: string, x: FeatureMap): FeatureMap => {
  const attended = attentionBlock(weights, `${name}.attn_1`, residualBlock(weights, `${name}.block_1`, x))
  return residualBlock(weights, `${name}.block_2`, attended)
}

/** Group norm, SiLU and the last convolution. */
export const outputBlock = (weights: ReferenceWeights, name: string, x: FeatureMap): FeatureMap =>
  convolve(weights, `${name}.conv_out`, siluMap(groupNorm(weights, `${name}.norm_out`, x)))
