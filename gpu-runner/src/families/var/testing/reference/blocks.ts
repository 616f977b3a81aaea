import { convolve, dot, groupNorm, siluMap, softmax } from './layers.ts'
import { addMaps, type FeatureMap, featureMap, mapOfRows, matrix, pixelRows, rowsOf, stack } from './tensors.ts'
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
  const qkv = convolve(weights, `${name}.qkv`, groupNorm(weights, `${name}.norm`, x), { kernel: 1 })
  const size = x.data.length
  const part = (index: number) =>
    rowsOf(pixelRows(featureMap(x.channels, x.side, qkv.data.subarray(index * size, (index + 1) * size))))
  const [keys, values] = [part(1), part(2)]
  const attended = part(0).map((query) => {
    const shares = softmax(Float64Array.from(keys, (key) => dot(query, key) / Math.sqrt(x.channels)))
    const mixed = new Float64Array(x.channels)
    values.forEach((value, other) => {
      for (let i = 0; i < mixed.length; i++) mixed[i] = (mixed[i] ?? 0) + (shares[other] ?? 0) * (value[i] ?? 0)
    })
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
