import { ModelError } from '../../../errors.ts'
import type { Manifest } from './manifest.ts'
import type { Weights } from '../../../model/weights.ts'

export interface TransformerShape {
  depth: number
  width: number
  heads: number
  headWidth: number
  /** Classes without the unconditional one, whose index is this number. */
  classes: number
  /** One AdaLN for all blocks (the published 512 px model) and not one per block. */
  sharedAdaln: boolean
}

export interface TokenizerShape {
  vocabulary: number
  /** Channels of a code. */
  channels: number
  /** Convolutions phi that the scales share. */
  phis: number
  /** Share of the convolution in phi: phi(h) = (1 - share) h + share conv(h). */
  phiShare: number
  /** Resolution levels of the decoder; each but the finest doubles the side. */
  levels: number
}

export interface ModelShape {
  /** Side n_k of each token map, coarse to fine. */
  scales: readonly number[]
  /** Tokens of one image: the sum of n_k^2. */
  tokens: number
  /** Side of f_hat: the last scale. */
  side: number
  resolution: number
  transformer: TransformerShape
  tokenizer: TokenizerShape
}

const transformerShape = (weights: Weights): TransformerShape => {
  const depth = weights.count((index) => `blocks.${index}.attn.mat_qkv.weight`)
  if (depth === 0)
    throw new ModelError('The transformer has no tensor blocks.0.attn.mat_qkv.weight: it is not a VAR transformer.')
  const width = weights.size('word_embed.weight', [null, null], 0)
  const heads = weights.size('blocks.0.attn.scale_mul_1H11', [1, null, 1, 1], 1)
  if (width % heads !== 0) throw new ModelError(`The transformer’s width ${width} is not divisible by its ${heads} heads.`)
  return {
    depth,
    width,
    heads,
    headWidth: width / heads,
    classes: weights.size('class_emb.weight', [null, width], 0) - 1,
    sharedAdaln: weights.has('shared_ada_lin.1.weight')
  }
}

const tokenizerShape = (weights: Weights, phiShare: number): TokenizerShape => {
  const embedding = 'quantize.embedding.weight'
  const phis = weights.count((index) => `quantize.quant_resi.qresi_ls.${index}.weight`)
  if (phis === 0)
    throw new ModelError('The tokenizer has no tensor quantize.quant_resi.qresi_ls.0.weight: it is not a VAR tokenizer.')
  return {
    vocabulary: weights.size(embedding, [null, null], 0),
    channels: weights.size(embedding, [null, null], 1),
    phis,
    phiShare,
    levels: weights.count((index) => `decoder.up.${index}.block.0.conv1.weight`)
  }
}

/** More tokens of one image than any model has. */
export const MAX_TOKENS = 16_384

interface Limit {
  what: string
  actual: number
  most: number
}

/**
 * What sampling takes grows with the square of some sizes and with the product of others: without limits a file of a
 * megabyte could ask for all memory. The largest published model has 32 x 32 codes, 2,240 tokens, 512 px and 36 blocks.
 */
const limitsOf = ({ side, tokens, transformer, tokenizer }: ModelShape, decoded: number, weights: Weights): Limit[] => [
  { what: 'codes on a side of the last scale', actual: side, most: 64 },
  { what: 'tokens in all scales', actual: tokens, most: MAX_TOKENS },
  { what: 'pixels on a side of the picture', actual: decoded, most: 2_048 },
  { what: 'transformer blocks', actual: transformer.depth, most: 128 },
  { what: 'phi convolutions', actual: tokenizer.phis, most: 64 },
  {
    what: 'decoder blocks on one level',
    actual: Math.max(...Array.from({ length: tokenizer.levels }, (_, level) => levelBlocks(weights, level))),
    most: 32
  }
]

const levelBlocks = (weights: Weights, level: number): number =>
  weights.count((block) => `decoder.up.${level}.block.${block}.conv1.weight`)

const requireThat = (condition: boolean, sentence: string): void => {
  if (!condition) throw new ModelError(sentence)
}

/**
 * Sizes of a model, read from its tensors and held against its manifest.
 * @throws ModelError in one sentence when the two do not belong together.
 */
export const modelShape = (manifest: Manifest, tokenizer: Weights, transformer: Weights): ModelShape => {
  const { scales, resolution, classes, defaults } = manifest
  const side = scales.at(-1) ?? 0
  const shape = {
    scales,
    tokens: scales.reduce((sum, n) => sum + n * n, 0),
    side,
    resolution,
    transformer: transformerShape(transformer),
    tokenizer: tokenizerShape(tokenizer, manifest.quant_resi ?? 0.5)
  }
  const { vocabulary, levels } = shape.tokenizer
  const decoded = side * 2 ** (levels - 1)
  requireThat(
    scales.every((n, k) => k === 0 || n > (scales[k - 1] ?? n)),
    `${manifest.id}: scales must grow, but are ${scales.join(' ')}.`
  )
  for (const { what, actual, most } of limitsOf(shape, decoded, tokenizer))
    requireThat(actual <= most, `${manifest.id}: the model has ${actual} ${what}, but may have ${most} at most.`)
  requireThat(
    decoded === resolution,
    `${manifest.id}: the tokenizer decodes ${side} x ${side} codes to ${decoded} px, but the manifest says resolution ${resolution}.`
  )
  requireThat(
    classes.length === shape.transformer.classes,
    `${manifest.id}: the manifest names ${classes.length} classes, the transformer has ${shape.transformer.classes}.`
  )
  requireThat(
    defaults.top_k <= vocabulary,
    `${manifest.id}: defaults.top_k is ${defaults.top_k}, but the vocabulary has ${vocabulary} tokens.`
  )
  return shape
}
