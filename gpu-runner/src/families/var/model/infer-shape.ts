import { readTensorBytes } from '../../../checkpoint/read-safetensors.ts'
import { ModelError } from '../../../errors.ts'
import { PUBLISHED_SCALES, PUBLISHED_SIZES, PUBLISHED_TRANSFORMERS, type PublishedSize } from './published.ts'
import { MAX_TOKENS, type ModelShape } from './shape.ts'
import type { Weights } from '../../../model/weights.ts'

const tokensOf = (scales: readonly number[]): number => scales.reduce((sum, side) => sum + side * side, 0)

/** What the transformer's tables say of its scales: how many there are, and how many tokens in all. */
const tableSizes = (transformer: Weights) => ({
  tokens: transformer.size('pos_1LC', [1, null, null], 1),
  count: transformer.size('lvl_embed.weight', [null, null], 0)
})

/** Sides of the scales by the table that gives the scale of each token, which checkpoints of the reference carry along. */
const scalesOfTable = async (transformer: Weights): Promise<number[]> => {
  const table = transformer.tensors.get('lvl_1L')
  if (table?.dtype !== 'I64' || table.sizeBytes > MAX_TOKENS * BigInt64Array.BYTES_PER_ELEMENT) return []
  const bytes = Uint8Array.from(table.data ?? (await readTensorBytes(table)))
  const counts: number[] = []
  for (const level of new BigInt64Array(bytes.buffer)) {
    if (level < 0 || level > counts.length) return []
    counts[Number(level)] = (counts[Number(level)] ?? 0) + 1
  }
  const sides = counts.map(Math.sqrt)
  return sides.every(Number.isInteger) ? sides : []
}

/**
 * The scales of a transformer: those given; those its own table tells; or the published ones that fit the number of scales
 * and of tokens.
 * @throws ModelError that says which `--scales` would fit.
 */
export const inferScales = async (transformer: Weights, given?: readonly number[]): Promise<readonly number[]> => {
  const { tokens, count } = tableSizes(transformer)
  const fits = (scales: readonly number[]) => scales.length === count && tokensOf(scales) === tokens
  const wanted = `give --scales with ${count} growing sides whose squares sum to ${tokens}`
  if (given) {
    if (fits(given)) return given
    throw new ModelError(
      `--scales has ${given.length} sides whose squares sum to ${tokensOf(given)}, which does not fit the transformer: ${wanted}.`
    )
  }
  const told = await scalesOfTable(transformer)
  if (fits(told)) return told
  const published = PUBLISHED_SCALES.find(fits)
  if (published) return published
  throw new ModelError(
    `The transformer neither tells its scales nor has those of a published model: ${wanted}, coarse to fine, such as 1,2,3,4.`
  )
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
