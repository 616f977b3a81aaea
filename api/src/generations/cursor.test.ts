import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newTestDeliveryId } from '../testing/deliveries.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { newGenerationId } from './id.ts'

const REFUSAL = { code: 'invalid_cursor' }
const base64url = (text: string) => Buffer.from(text).toString('base64url')

test('a cursor comes back as it was written', () => {
  for (const score of [0, 7, 1_795_815_296_337, 999_999_999_999_999]) {
    const cursor = { score, id: newGenerationId() }
    assert.deepEqual(decodeCursor(encodeCursor(cursor)), cursor)
  }
})

test('a cursor has one spelling: others of the same place are refused', () => {
  const id = newGenerationId()
  // 32 characters, whose last one in base64 has four bits that say nothing.
  const text = encodeCursor({ score: 5, id })
  assert.equal(text.length % 4, 3)
  const last = text.at(-1) ?? ''
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const sameBytes = text.slice(0, -1) + alphabet[alphabet.indexOf(last) + 1]
  assert.deepEqual(Buffer.from(sameBytes, 'base64url'), Buffer.from(text, 'base64url'))
  const others = [`${text}=`, ` ${text}`, `${text}\n`, `${text.slice(0, 4)}!${text.slice(4)}`, sameBytes]
  const spelt = [`05:${id}`, `5.0:${id}`, `5e0:${id}`, `+5:${id}`, ` 5:${id}`, `5:${id}:`, `5:${id}\0`, `-0:${id}`, `:${id}`].map(
    base64url
  )
  for (const other of [...others, ...spelt]) assert.throws(() => decodeCursor(other), REFUSAL, JSON.stringify(other))
})

test('a cursor of one list is none of another', () => {
  const [generation, delivery] = [newGenerationId(), newTestDeliveryId()].map((id) => encodeCursor({ score: 5, id }))
  assert.throws(() => decodeCursor(delivery ?? ''), REFUSAL)
  assert.throws(() => decodeCursor(generation ?? '', 'delivery'), REFUSAL)
  assert.equal(decodeCursor(delivery ?? '', 'delivery').score, 5)
})
