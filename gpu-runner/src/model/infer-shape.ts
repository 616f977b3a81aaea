import { ModelError } from '../errors.ts'
import { PUBLISHED_SCALES, PUBLISHED_SIZES, PUBLISHED_TRANSFORMERS, type PublishedSize } from './published.ts'
import type { ModelShape } from './shape.ts'
import type { Weights } from './weights.ts'

const tokensOf = (scales: readonly number[]): number => scales.reduce((sum, side) => sum + side * side, 0)

/** What the transformer's tables say of its scales: how many there are, and how many tokens in all. */
const tableSizes = (transformer: Weights) => ({
  tokens: transformer.size('pos_1LC', [1, null, null], 1),
  count: transformer.size('lvl_embed.weight', [null, null], 0)
})

/**
 * The scales of a transformer, of which its tensors tell only the number and the sum: those given, or the published ones
 * that fit.
 * @throws ModelError that says which `--scales` would fit.
 */
export const inferScales = (transformer: Weights, given?: readonly number[]): readonly number[] => {
  const { tokens, count } = tableSizes(transformer)
  const fits = (scales: readonly number[]) => scales.length === count && tokensOf(scales) === tokens
  const wanted = `give --scales with ${count} growing sides whose squares sum to ${tokens}`
  if (given) {
    if (fits(given)) return given
    throw new ModelError(
      `--scales has ${given.length} sides whose squares sum to ${tokensOf(given)}, which does not fit the transformer: ${wanted}.`
    )
  }
  const published = PUBLISHED_SCALES.find(fits)
  if (published) return published
  throw new ModelError(`The transformer has not the scales of a published model: ${wanted}, coarse to fine, such as 1,2,3,4.`)
}

/** Side of the pictures a tokenizer decodes from the last scale. */
export const inferResolution = (tokenizer: Weights, scales: readonly number[]): number => {
  const levels = tokenizer.count((index) => `decoder.up.${index}.block.0.conv1.weight`)
  return (scales.at(-1) ?? 0) * 2 ** (levels - 1)
}

/** The published model that has these sizes, if any. */
export const publishedSize = ({ transformer, tokenizer, scales }: ModelShape): PublishedSize | undefined =>
  PUBLISHED_SIZES.find((size) => {
    const { depth, width, heads, classes, sharedAdaln, vocabulary, scales: published } = PUBLISHED_TRANSFORMERS[size]
    const sizes = { depth, width, heads, classes, sharedAdaln, vocabulary }
    const actual = { ...transformer, vocabulary: tokenizer.vocabulary }
    const isSame = Object.entries(sizes).every(([key, value]) => actual[key as keyof typeof sizes] === value)
    return isSame && published.join() === scales.join()
  })
