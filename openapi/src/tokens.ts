/** Bits one token takes: as many as the largest token needs. */
export const bitsPerToken = (vocabularySize: number): number => 32 - Math.clz32(vocabularySize - 1)

/** A token and what is left of the byte before it must fit into 32 bits. */
const MAX_VOCABULARY_SIZE = 2 ** 24

const checkVocabulary = (size: number): void => {
  if (Number.isInteger(size) && size >= 2 && size <= MAX_VOCABULARY_SIZE) return
  throw new RangeError(`a vocabulary of ${size} tokens cannot be packed`)
}

const checkToken = (token: number, vocabularySize: number): void => {
  if (Number.isInteger(token) && token >= 0 && token < vocabularySize) return
  throw new RangeError(`${token} is not a token of a vocabulary of ${vocabularySize}`)
}

/** Bytes that `count` packed tokens take. */
export const packedSizeBytes = (count: number, vocabularySize: number): number =>
  Math.ceil((count * bitsPerToken(vocabularySize)) / 8)

/**
 * Packs tokens into a little-endian bit stream, least significant bit first; the last byte is filled up with zeros.
 * @throws RangeError when one is not of the vocabulary.
 */
export const packTokens = (tokens: Int32Array, vocabularySize: number): Uint8Array => {
  checkVocabulary(vocabularySize)
  const bits = bitsPerToken(vocabularySize)
  const packed = new Uint8Array(packedSizeBytes(tokens.length, vocabularySize))
  let pending = 0
  let pendingBits = 0
  let position = 0
  for (const token of tokens) {
    checkToken(token, vocabularySize)
    pending |= token << pendingBits
    pendingBits += bits
    for (; pendingBits >= 8; pendingBits -= 8) {
      packed[position++] = pending & 0xff
      pending >>>= 8
    }
  }
  if (pendingBits > 0) packed[position] = pending
  return packed
}

/**
 * The tokens that `packTokens` packed.
 * @throws RangeError when there are not `count` of them, or one is not of the vocabulary.
 */
export const unpackTokens = (packed: Uint8Array, count: number, vocabularySize: number): Int32Array => {
  checkVocabulary(vocabularySize)
  const expected = packedSizeBytes(count, vocabularySize)
  if (packed.length !== expected) throw new RangeError(`${count} tokens take ${expected} bytes, not ${packed.length}`)
  const bits = bitsPerToken(vocabularySize)
  const tokens = new Int32Array(count)
  let pending = 0
  let pendingBits = 0
  let position = 0
  for (let index = 0; index < count; index++) {
    for (; pendingBits < bits; pendingBits += 8) pending |= (packed[position++] ?? 0) << pendingBits
    const token = pending & ((1 << bits) - 1)
    checkToken(token, vocabularySize)
    tokens[index] = token
    pending >>>= bits
    pendingBits -= bits
  }
  return tokens
}
