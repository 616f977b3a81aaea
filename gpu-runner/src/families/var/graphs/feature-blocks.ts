import type { Weights } from '../../../model/weights.ts'
import type { GraphBuilder, Value } from '../../../onnx/graph-builder.ts'
import { conv, groupNorm, silu } from './layers.ts'

/** What the blocks of encoder and decoder are built with. */
export interface FeatureScope {
  g: GraphBuilder
  weights: Weights
  conv3x3: Conv3x3
}

export interface Conv3x3Input {
  x: Value
  /** Channels of input and output. */
  sizes: [input: number, output: number]
  /** Whether every pixel becomes four before the convolution. */
  doubled?: boolean
}

/** How the convolutions that cost most are computed: [B, in, h, w] to [B, out, h, w], or twice that side. */
export type Conv3x3 = (scope: Pick<FeatureScope, 'g' | 'weights'>, name: string, input: Conv3x3Input) => Value

/** Every pixel becomes four. x [B, C, h, w] of any type. */
export const doubledPixels = (g: GraphBuilder, x: Value): Value =>
  g.op('Resize', [x, '', g.floats([1, 1, 2, 2], [4], 'float')], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor'
  })

/** In the graph's own precision. */
export const floatConv3x3: Conv3x3 = ({ g, weights }, name, { x, sizes, doubled }) =>
  conv(g, weights, name, doubled ? doubledPixels(g, x) : x, sizes)

/** GroupNorm, SiLU, conv, twice, plus the input. x [B, in, h, w] to [B, out, h, w]. */
const residualBlock = (scope: FeatureScope, name: string, x: Value, [input, output]: [number, number]): Value => {
  const { g, weights } = scope
  const half = (index: 1 | 2, features: Value, channels: number) => {
    const activated = silu(g, groupNorm(g, weights, `${name}.norm${index}`, features, channels))
    return scope.conv3x3(scope, `${name}.conv${index}`, { x: activated, sizes: [channels, output] })
  }
  const second = half(2, half(1, x, input), output)
  const skip = input === output ? x : conv(g, weights, `${name}.nin_shortcut`, x, [input, output], 1)
  return g.op('Add', [skip, second])
}

/** Single-head attention over the pixels of a feature map. x [B, C, h, w]. */
const attentionBlock = ({ g, weights }: FeatureScope, name: string, x: Value, channels: number): Value => {
  const normalised = groupNorm(g, weights, `${name}.norm`, x, channels)
  const qkv = g.reshape(conv(g, weights, `${name}.qkv`, normalised, [channels, 3 * channels], 1), [0, 3, channels, -1])
  const parts = g.split('Split', [qkv], 3, { axis: 1, num_outputs: 3 })
  const [q, k, v] = parts.map((part) => g.op('Squeeze', [part, g.ints([1])])) as [Value, Value, Value]
  const queries = g.op('Mul', [g.op('Transpose', [q], { perm: [0, 2, 1] }), g.scalar(channels ** -0.5)])
  const attention = g.op('Softmax', [g.op('MatMul', [queries, k])], { axis: -1 })
  const mixed = g.op('MatMul', [v, g.op('Transpose', [attention], { perm: [0, 2, 1] })])
  const restored = g.op('Reshape', [mixed, g.op('Shape', [x])])
  return g.op('Add', [x, conv(g, weights, `${name}.proj_out`, restored, [channels, channels], 1)])
}

/** The blocks `name.block.i` of one resolution level, each followed by `name.attn.i` where the file has one. */
export const levelBlocks = (scope: FeatureScope, name: string, x: Value, input: number): [Value, channels: number] => {
  const { weights } = scope
  const blocks = weights.count((block) => `${name}.block.${block}.conv1.weight`)
  const channels = weights.size(`${name}.block.0.conv1.weight`, [null, input, 3, 3], 0)
  let y = x
  for (let block = 0; block < blocks; block++) {
    y = residualBlock(scope, `${name}.block.${block}`, y, [block === 0 ? input : channels, channels])
    if (weights.has(`${name}.attn.${block}.qkv.weight`)) y = attentionBlock(scope, `${name}.attn.${block}`, y, channels)
  }
  return [y, channels]
}

/** The blocks `name.mid` of the smallest side. */
export const middleBlocks = (scope: FeatureScope, name: string, x: Value, channels: number): Value => {
  const first = residualBlock(scope, `${name}.mid.block_1`, x, [channels, channels])
  const attended = attentionBlock(scope, `${name}.mid.attn_1`, first, channels)
  return residualBlock(scope, `${name}.mid.block_2`, attended, [channels, channels])
}

/** Group norm, SiLU and the last convolution. */
export const outputBlock = ({ g, weights }: FeatureScope, name: string, x: Value, [input, output]: [number, number]): Value =>
  conv(g, weights, `${name}.conv_out`, silu(g, groupNorm(g, weights, `${name}.norm_out`, x, input)), [input, output])
