import type { OpenModel } from '../model/open-model.ts'
import type { GraphBuilder, Value } from '../../../onnx/graph-builder.ts'
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

const embeddingOf = (g: GraphBuilder, { shape, tokenizer }: OpenModel): Value =>
  g.weight(tokenizer.take('quantize.embedding.weight', [shape.tokenizer.vocabulary, shape.tokenizer.channels]))

/** Codes [B, n^2, channels] of tokens int64 [B, n^2]. */
export const codesOfTokens = (g: GraphBuilder, model: OpenModel, tokens: Value): Value =>
  g.op('Gather', [embeddingOf(g, model), tokens], { axis: 0 })

export interface SmoothInputs {
  /** Which images of the batch are blended, int64 [S]; S may be 0. */
  image: Value
  /** Row of every image in the drawn codes followed by the blended ones, int64 [B]. */
  codeRow: Value
  /** Gumbel noise of the blended images, fp32 [S, n^2, vocabulary]. */
  gumbel: Value
  /** (1 + r) / tau and 1 / tau of this scale, fp32 []. */
  logitScale: Value
  noiseScale: Value
}

/** The blending's inputs of a graph. */
export const smoothInputs = (g: GraphBuilder, vocabulary: number): SmoothInputs => ({
  image: g.input('smooth_image', 'int64', ['S']),
  codeRow: g.input('code_row', 'int64', ['B']),
  gumbel: g.input('gumbel', 'float', ['S', 'n2', vocabulary]),
  logitScale: g.input('smooth_logit_scale', 'float', []),
  noiseScale: g.input('smooth_noise_scale', 'float', [])
})

/**
 * Replaces the codes of some images by a blend of the whole codebook, softmax((logits (1 + r) + gumbel) / tau), as
 * `more_smooth` of the reference does. codes [B, n^2, channels], keptLogits fp32 [B, n^2, vocabulary].
 */
export const blendCodes = (g: GraphBuilder, model: OpenModel, codes: Value, keptLogits: Value, smooth: SmoothInputs): Value => {
  const logits = g.op('Mul', [g.op('Gather', [keptLogits, smooth.image], { axis: 0 }), smooth.logitScale])
  const shares = g.op('Softmax', [g.op('Add', [logits, g.op('Mul', [smooth.gumbel, smooth.noiseScale])])], { axis: -1 })
  const typed = g.float === 'float' ? shares : g.cast(shares, g.float)
  const blended = g.op('MatMul', [typed, embeddingOf(g, model)])
  return g.op('Gather', [g.op('Concat', [codes, blended], { axis: 0 }), smooth.codeRow], { axis: 0 })
}

/** What codes [B, n^2, channels] add to f_hat: [B, channels, side, side]. `upsample` is [n^2, side^2]. */
export const contribution = (
  g: GraphBuilder,
  model: OpenModel,
  { codes, upsample, phiIndex }: { codes: Value; upsample: Value; phiIndex: Value }
): Value => {
  const { side } = model.shape
  const { channels } = model.shape.tokenizer
  const columns = g.op('Transpose', [codes], { perm: [0, 2, 1] })
  return phi(g, model, g.reshape(g.op('MatMul', [columns, upsample]), [-1, channels, side, side]), phiIndex)
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
