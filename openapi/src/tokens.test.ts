import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bitsPerToken, packedSizeBytes, packTokens, unpackTokens } from './tokens.ts'

const VOCABULARIES = [2, 3, 4, 255, 256, 257, 512, 1024, 4096, 4097, 65_536, 2 ** 24]

/** Tokens that look drawn, both ends of the vocabulary among them. */
const tokensOf = (vocabularySize: number, count: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => (i < 2 ? i * (vocabularySize - 1) : (i * 2_654_435_761) % vocabularySize))

test('a token takes ceil(log2(vocabulary)) bits', () => {
  assert.deepEqual(
    VOCABULARIES.map(bitsPerToken),
    VOCABULARIES.map((size) => Math.ceil(Math.log2(size)))
  )
})

test('680 tokens of a vocabulary of 4096 take 1,020 bytes', () => {
  assert.equal(packTokens(tokensOf(4096, 680), 4096).length, 1_020)
  assert.equal(packedSizeBytes(680, 4096), 1_020)
})

test('tokens lie least significant bit first, and the last byte is filled up with zeros', () => {
  assert.deepEqual([...packTokens(Int32Array.of(0xabc, 0x123), 4096)], [0xbc, 0x3a, 0x12])
  assert.deepEqual([...packTokens(Int32Array.of(0x3ff), 1024)], [0xff, 0x03])
})

test('the whole file is one little-endian number, as the contract says', () => {
  for (const size of VOCABULARIES) {
    const tokens = tokensOf(size, 155)
    const digits = Buffer.from(packTokens(tokens, size)).reverse().toString('hex')
    const whole = BigInt(`0x${digits}`)
    const bits = BigInt(bitsPerToken(size))
    const read = Array.from(tokens, (_, i) => Number((whole >> (BigInt(i) * bits)) & ((1n << bits) - 1n)))
    assert.deepEqual(read, [...tokens])
  }
})

test('what was packed is unpacked, for any vocabulary and count', () => {
  for (const size of VOCABULARIES) {
    for (const count of [0, 1, 2, 7, 8, 9, 155, 680]) {
      const tokens = tokensOf(size, count)
      assert.deepEqual(unpackTokens(packTokens(tokens, size), count, size), tokens)
    }
  }
})

test('what is not of the vocabulary is neither packed nor unpacked', () => {
  for (const token of [-1, 1000]) assert.throws(() => packTokens(Int32Array.of(token), 1000), RangeError)
  assert.throws(() => unpackTokens(packTokens(Int32Array.of(1023), 1024), 1, 1000), RangeError)
  for (const size of [0, 1, 1.5, 2 ** 24 + 1, Number.NaN]) assert.throws(() => packTokens(Int32Array.of(0), size), RangeError)
})

test('a file of another length is refused', () => {
  const packed = packTokens(tokensOf(1024, 155), 1024)
  for (const other of [packed.subarray(1), Uint8Array.of(...packed, 0), new Uint8Array()]) {
    assert.throws(() => unpackTokens(other, 155, 1024), /take 194 bytes/)
  }
})
