import type { OpenModel } from '../model/open-model.ts'
import type { GraphBuilder, Value } from '../onnx/graph-builder.ts'
import { linear } from './layers.ts'

/**
 * phi(h) = (1 - share) h + share conv(h), with convolution `index` (int64 []) of the shared ones. h [B, C, side, side].
 *
 * All phis run as one convolution of constant weights and one result is picked. Gathered weights would send the runtime
 * down a path whose order of summation depends on the batch size, and an image would then depend on its batch mates.
 */
const phi = (g: GraphBuilder, { shape, tokenizer }: OpenModel, h: Value, index: Value): Value => {
  const { channels, phis, phiShare } = shape.tokenizer
  const { side } = shape
  const all = (suffix: string, size: number[]) => {
    const each = Array.from({ length: phis }, (_, i) =>
      g.weight(tokenizer.take(`quantize.quant_resi.qresi_ls.${i}.${suffix}`, size))
    )
    return g.op('Concat', each, { axis: 0 })
  }
  const weights = [all('weight', [channels, channels, 3, 3]), all('bias', [channels])]
  const convolved = g.op('Conv', [h, ...weights], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })
  const chosen = g.op('Gather', [g.reshape(convolved, [-1, phis, channels, side, side]), index], { axis: 1 })
  return g.op('Add', [g.op('Mul', [h, g.scalar(1 - phiShare)]), g.op('Mul', [chosen, g.scalar(phiShare)])])
}

/** Contribution of tokens int64 [B, n^2] to f_hat: [B, channels, side, side]. `upsample` is [n^2, side^2]. */
export const tokenContribution = (
  g: GraphBuilder,
  model: OpenModel,
  { tokens, upsample, phiIndex }: { tokens: Value; upsample: Value; phiIndex: Value }
): Value => {
  const { side } = model.shape
  const { vocabulary, channels } = model.shape.tokenizer
  const embedding = g.weight(model.tokenizer.take('quantize.embedding.weight', [vocabulary, channels]))
  const codes = g.op('Transpose', [g.op('Gather', [embedding, tokens], { axis: 0 })], { perm: [0, 2, 1] })
  const full = g.reshape(g.op('MatMul', [codes, upsample]), [-1, channels, side, side])
  return phi(g, model, full, phiIndex)
}

/** Next scale's input without positions: f_hat [B, channels, side, side], `downsample` [side^2, m^2], to [B, m^2, width]. */
export const nextTokens = (g: GraphBuilder, model: OpenModel, fHat: Value, downsample: Value): Value => {
  const { side } = model.shape
  const { channels } = model.shape.tokenizer
  const { width } = model.shape.transformer
  const reduced = g.op('MatMul', [g.reshape(fHat, [0, channels, side * side]), downsample])
  const tokens = g.op('Transpose', [reduced], { perm: [0, 2, 1] })
  const embedded = linear(g, model.transformer, 'word_embed', g.reshape(tokens, [-1, channels]), [channels, width])
  const batch = g.op('Slice', [g.op('Shape', [fHat]), g.ints([0]), g.ints([1])])
  return g.op('Reshape', [embedded, g.op('Concat', [batch, g.ints([-1, width])], { axis: 0 })])
}
