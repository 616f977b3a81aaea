import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GENERATION_ID_PATTERN } from '@nextscale/openapi'
import { newGenerationId } from './id.ts'

test('ids have the form the contract states and do not repeat', () => {
  const ids = Array.from({ length: 2000 }, newGenerationId)
  for (const id of ids) assert.match(id, new RegExp(GENERATION_ID_PATTERN))
  assert.equal(new Set(ids).size, ids.length)
})

test('every character but the last, which holds two bits less, takes every value', () => {
  const ids = Array.from({ length: 3000 }, newGenerationId)
  for (let position = 4; position < 29; position++) assert.equal(new Set(ids.map((id) => id[position])).size, 32)
  assert.equal(new Set(ids.map((id) => id[29])).size, 8)
})
