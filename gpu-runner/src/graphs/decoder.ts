import type { OpenModel } from '../model/open-model.ts'
import type { Weights } from '../model/weights.ts'
import { GraphBuilder, type Value } from '../onnx/graph-builder.ts'
import { conv, groupNorm, silu } from './layers.ts'

interface Scope {
  g: GraphBuilder
  weights: Weights
}

/** GroupNorm, SiLU, conv, twice, plus the input. x [B, in, h, w] to [B, out, h, w]. */
const residualBlock = ({ g, weights }: Scope, name: string, x: Value, [input, output]: [number, number]): Value => {
  const first = conv(g, weights, `${name}.conv1`, silu(g, groupNorm(g, weights, `${name}.norm1`, x, input)), [input, output])
  const second = conv(g, weights, `${name}.conv2`, silu(g, groupNorm(g, weights, `${name}.norm2`, first, output)), [
    output,
    output
  ])
  const skip = input === output ? x : conv(g, weights, `${name}.nin_shortcut`, x, [input, output], 1)
  return g.op('Add', [skip, second])
}

/** Single-head attention over the pixels of a feature map. x [B, C, h, w]. */
const attentionBlock = ({ g, weights }: Scope, name: string, x: Value, channels: number): Value => {
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

const upsample = ({ g, weights }: Scope, name: string, x: Value, channels: number): Value => {
  const doubled = g.op('Resize', [x, '', g.floats([1, 1, 2, 2])], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor'
  })
  return conv(g, weights, `${name}.upsample.conv`, doubled, [channels, channels])
}

const level = (scope: Scope, index: number, x: Value, input: number): [Value, number] => {
  const name = `decoder.up.${index}`
  const { g, weights } = scope
  const blocks = weights.count((block) => `${name}.block.${block}.conv1.weight`)
  const channels = weights.size(`${name}.block.0.conv1.weight`, [null, input, 3, 3], 0)
  let y = x
  for (let block = 0; block < blocks; block++) {
    y = residualBlock({ g, weights }, `${name}.block.${block}`, y, [block === 0 ? input : channels, channels])
    if (weights.has(`${name}.attn.${block}.qkv.weight`)) y = attentionBlock(scope, `${name}.attn.${block}`, y, channels)
  }
  return [index > 0 ? upsample(scope, name, y, channels) : y, channels]
}

/** post_quant_conv and the decoder: f_hat [B, channels, side, side] to an image [B, 3, resolution, resolution] near [-1, 1]. */
const decode = (scope: Scope, fHat: Value, model: OpenModel): Value => {
  const { g, weights } = scope
  const { channels, levels } = model.shape.tokenizer
  let width = weights.size('decoder.conv_in.weight', [null, channels, 3, 3], 0)
  let x = conv(g, weights, 'post_quant_conv', fHat, [channels, channels])
  x = conv(g, weights, 'decoder.conv_in', x, [channels, width])
  x = residualBlock(scope, 'decoder.mid.block_1', x, [width, width])
  x = attentionBlock(scope, 'decoder.mid.attn_1', x, width)
  x = residualBlock(scope, 'decoder.mid.block_2', x, [width, width])
  for (let index = levels - 1; index >= 0; index--) [x, width] = level(scope, index, x, width)
  return conv(g, weights, 'decoder.conv_out', silu(g, groupNorm(g, weights, 'decoder.norm_out', x, width)), [width, 3])
}

/**
 * Input: `f_hat` [B, channels, side, side]. Output: `pixels` uint8 [B, resolution, resolution, 3], which is
 * (clamp(x, -1, 1) + 1) / 2 * 255, truncated.
 */
export const decoderGraph = (model: OpenModel): Uint8Array => {
  const { side, tokenizer } = model.shape
  const g = new GraphBuilder('decoder')
  const fHat = g.input('f_hat', 'float', ['B', tokenizer.channels, side, side])
  const image = decode({ g, weights: model.tokenizer }, fHat, model)
  const unit = g.op('Mul', [g.op('Add', [g.op('Clip', [image, g.scalar(-1), g.scalar(1)]), g.scalar(1)]), g.scalar(0.5)])
  const bytes = g.cast(g.op('Mul', [unit, g.scalar(255)]), 'uint8')
  g.output('pixels', g.op('Transpose', [bytes], { perm: [0, 2, 3, 1] }), 'uint8')
  return g.build()
}
