import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noiseUniform, tokenUniform } from './uniform-numbers.ts'

const ALL = 0xffffffff

/** Seed, scale, place; the number of the draw in units of 2^-24; that of the noise in units of 2^-25. Computed by another program. */
const streams: [number, number, number, number, number][] = [
  [0, 0, 0, 6_694_888, 33_275_005],
  [7, 0, 0, 16_015_482, 11_765_123],
  [7, 6, 30, 8_919_965, 21_183_579],
  [ALL, 9, 255, 9_434_537, 15_076_695]
]

test('a seed gives the same numbers in every release, for draws and for noise', () => {
  for (const [seed, scale, place, draw, noise] of streams) {
    assert.deepEqual([tokenUniform(seed, scale, place), noiseUniform(seed, scale, place)], [draw * 2 ** -24, noise * 2 ** -25])
  }
})

test('uniform numbers are below 1, exact in fp32 and spread evenly', () => {
  const count = 20_000
  const buckets = new Array<number>(10).fill(0)
  for (let position = 0; position < count; position++) {
    const uniform = tokenUniform(ALL, 9, position)
    assert.ok(uniform >= 0 && uniform < 1)
    assert.equal(Math.fround(uniform), uniform)
    const bucket = Math.floor(uniform * 10)
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }
  const expected = count / buckets.length
  const chiSquare = buckets.reduce((sum, observed) => sum + (observed - expected) ** 2 / expected, 0)
  // The 99.9 % point with nine degrees of freedom; the sequence is fixed, so this never flickers.
  assert.ok(chiSquare < 27.9, `chi-square ${chiSquare}`)
})

test('seed, scale and position each change the number', () => {
  const numbers = new Set([tokenUniform(1, 2, 3), tokenUniform(2, 2, 3), tokenUniform(1, 3, 3), tokenUniform(1, 2, 4)])
  assert.equal(numbers.size, 4)
})
