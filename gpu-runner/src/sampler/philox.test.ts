import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Counter, type Key, philox } from './philox.ts'

const ALL = 0xffffffff

/** Known answers published with the generator (Random123, philox4x32 with 10 rounds). */
const known: [Counter, Key, number[]][] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
  ],
  [
    [ALL, ALL, ALL, ALL],
    [ALL, ALL],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
  ]
]

test('the generator gives the published known answers', () => {
  for (const [counter, key, words] of known) assert.deepEqual(philox(counter, key), words)
})
