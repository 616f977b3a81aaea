import { basename } from 'node:path'
import { ModelError } from '../../../errors.ts'
import type { OpenModel } from '../model/open-model.ts'
import { GraphBuilder, type Value } from '../../../onnx/graph-builder.ts'
import { codesOfTokens, contribution } from './codes.ts'
import { type FeatureScope, floatConv3x3, levelBlocks, middleBlocks, outputBlock } from './feature-blocks.ts'
import { downsampleMatrix, phiIndex, upsampleMatrix } from './interpolation.ts'
import { conv } from './layers.ts'

/** Half the side. x [B, C, h, w], padded by one row below and one column to the right. */
const halved = ({ g, weights }: FeatureScope, name: string, x: Value, channels: number): Value => {
  const weight = g.weight(weights.take(`${name}.weight`, [channels, channels, 3, 3]))
  const bias = g.weight(weights.take(`${name}.bias`, [channels]))
  return g.op('Conv', [x, weight, bias], { kernel_shape: [3, 3], pads: [0, 0, 1, 1], strides: [2, 2] })
}

/** An image [B, 3, resolution, resolution] in [-1, 1] to the features [B, channels, side, side] that are to be quantised. */
const encode = (scope: FeatureScope, image: Value, { shape }: OpenModel): Value => {
  const { g, weights } = scope
  const { channels, levels } = shape.tokenizer
  let width = weights.size('encoder.conv_in.weight', [null, 3, 3, 3], 0)
  let x = conv(g, weights, 'encoder.conv_in', image, [3, width])
  for (let index = 0; index < levels; index++) {
    const name = `encoder.down.${index}`
    ;[x, width] = levelBlocks(scope, name, x, width)
    if (index < levels - 1) x = halved(scope, `${name}.downsample.conv`, x, width)
  }
  const encoded = outputBlock(scope, 'encoder', middleBlocks(scope, 'encoder', x, width), [width, channels])
  return conv(g, weights, 'quant_conv', encoded, [channels, channels])
}

/**
 * Tokens int64 [B, n^2] of the codes nearest to vectors [B, channels, n^2]: least |w|^2 - 2 z w. The vectors are the right
 * factor, so that every image has a product of its own and its rounding is the same in any batch.
 */
const nearestTokens = (g: GraphBuilder, { shape, tokenizer }: OpenModel, vectors: Value): Value => {
  const { vocabulary, channels } = shape.tokenizer
  const codes = g.weight(tokenizer.take('quantize.embedding.weight', [vocabulary, channels])) // [vocabulary, channels]
  const squares = g.op('ReduceSumSquare', [codes, g.ints([1])], { keepdims: 1 })
  const products = g.op('MatMul', [g.op('Mul', [codes, g.scalar(-2)]), vectors]) // [B, vocabulary, n^2]
  return g.op('ArgMin', [g.op('Add', [products, squares])], { axis: 1, keepdims: 0 })
}

/** Residual quantisation of features [B, channels, side, side]: tokens of every scale, and what they add up to. */
const quantise = (g: GraphBuilder, model: OpenModel, features: Value): { tokens: Value; fHat: Value } => {
  const { scales, side, tokenizer } = model.shape
  const tokens: Value[] = []
  let rest = features
  let fHat: Value | undefined
  scales.forEach((n, k) => {
    const downsample = g.floats(downsampleMatrix(side, n), [side * side, n * n])
    const vectors = g.op('MatMul', [g.reshape(rest, [0, tokenizer.channels, side * side]), downsample])
    const nearest = nearestTokens(g, model, vectors)
    const added = contribution(g, model, {
      codes: codesOfTokens(g, model, nearest),
      upsample: g.floats(upsampleMatrix(n, side), [n * n, side * side]),
      phiIndex: g.ints([phiIndex(k, scales.length, tokenizer.phis)], [])
    })
    tokens.push(nearest)
    rest = g.op('Sub', [rest, added])
    fHat = fHat === undefined ? added : g.op('Add', [fHat, added])
  })
  return { tokens: g.op('Concat', tokens, { axis: 1 }), fHat: fHat ?? features }
}

/**
 * In: `pixels` uint8 [B, resolution, resolution, 3], RGB.
 * Out: `tokens` int64 [B, tokens per image], of all scales one after another, and `f_hat` [B, channels, side, side], the
 * running sum that they give after the last scale.
 * @throws ModelError when the tokenizer's file has no encoder, or one that does not fit.
 */
export const encoderGraph = (model: OpenModel): Uint8Array => {
  const { resolution } = model.shape
  const weights = model.tokenizer
  if (!weights.has('encoder.conv_in.weight')) {
    throw new ModelError(
      `${basename(weights.path)} has no encoder (no tensor encoder.conv_in.weight), so it cannot turn pictures into tokens.`
    )
  }
  const g = new GraphBuilder('encoder')
  const pixels = g.op('Transpose', [g.input('pixels', 'uint8', ['B', resolution, resolution, 3])], { perm: [0, 3, 1, 2] })
  const unit = g.op('Div', [g.cast(pixels, 'float'), g.scalar(255)])
  const image = g.op('Sub', [g.op('Mul', [unit, g.scalar(2)]), g.scalar(1)])
  const { tokens, fHat } = quantise(g, model, encode({ g, weights, conv3x3: floatConv3x3 }, image, model))
  g.output('tokens', tokens, 'int64')
  g.output('f_hat', fHat, 'float')
  return g.build()
}
