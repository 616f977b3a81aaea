import type { OpenModel } from '../model/open-model.ts'
import { type FloatType, GraphBuilder, type Value } from '../../../onnx/graph-builder.ts'
import { type Conv3x3, type FeatureScope, floatConv3x3, levelBlocks, middleBlocks, outputBlock } from './feature-blocks.ts'
import { conv } from './layers.ts'

/** post_quant_conv and the decoder: f_hat [B, channels, side, side] to an image [B, 3, resolution, resolution] near [-1, 1]. */
const decode = (scope: FeatureScope, fHat: Value, { shape }: OpenModel): Value => {
  const { g, weights } = scope
  const { channels, levels } = shape.tokenizer
  let width = weights.size('decoder.conv_in.weight', [null, channels, 3, 3], 0)
  let x = conv(g, weights, 'post_quant_conv', fHat, [channels, channels])
  x = conv(g, weights, 'decoder.conv_in', x, [channels, width])
  x = middleBlocks(scope, 'decoder', x, width)
  for (let index = levels - 1; index >= 0; index--) {
    const name = `decoder.up.${index}`
    ;[x, width] = levelBlocks(scope, name, x, width)
    if (index > 0) x = scope.conv3x3(scope, `${name}.upsample.conv`, { x, sizes: [width, width], doubled: true })
  }
  return outputBlock(scope, 'decoder', x, [width, 3])
}

/**
 * Pixels uint8 [B, resolution, resolution, 3] of f_hat fp32 [B, channels, side, side], in the graph's own precision:
 * (clamp(x, -1, 1) + 1) / 2 * 255, truncated.
 */
export const decodedPixels = (g: GraphBuilder, model: OpenModel, fHat: Value, conv3x3: Conv3x3 = floatConv3x3): Value => {
  const typed = g.float === 'float' ? fHat : g.cast(fHat, g.float)
  const decoded = decode({ g, weights: model.tokenizer, conv3x3 }, typed, model)
  // Half precision has too few digits for the bytes: 0.5 + 1/255 and the like would be truncated to the byte below.
  const image = g.float === 'float' ? decoded : g.cast(decoded, 'float')
  const one = g.scalar(1, 'float')
  const unit = g.op('Mul', [g.op('Add', [g.op('Clip', [image, g.scalar(-1, 'float'), one]), one]), g.scalar(0.5, 'float')])
  const bytes = g.cast(g.op('Mul', [unit, g.scalar(255, 'float')]), 'uint8')
  return g.op('Transpose', [bytes], { perm: [0, 2, 3, 1] })
}

export interface DecoderOptions {
  /** What it computes in. */
  float?: FloatType
  conv3x3?: Conv3x3
}

/** Input: `f_hat` fp32 [B, channels, side, side]. Output: `pixels`, see `decodedPixels`. */
export const decoderGraph = (model: OpenModel, { float = 'float', conv3x3 }: DecoderOptions = {}): Uint8Array => {
  const { side, tokenizer } = model.shape
  const g = new GraphBuilder('decoder', float)
  const fHat = g.input('f_hat', 'float', ['B', tokenizer.channels, side, side])
  g.output('pixels', decodedPixels(g, model, fHat, conv3x3), 'uint8')
  return g.build()
}
