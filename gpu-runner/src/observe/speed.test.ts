import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptRecord } from './observer.ts'
import { createSpeed } from './speed.ts'

const attempt = (changes: Partial<AttemptRecord>): AttemptRecord => ({
  generation: 'gen_a',
  model: 'a',
  images: 1,
  attempt: 1,
  carrier: undefined,
  queuedAt: 0,
  begunAt: 100,
  endedAt: 500,
  stages: [{ stage: 'sampling', at: 200 }],
  scalesAt: [],
  outcome: 'succeeded',
  code: null,
  decodeMs: 1,
  ...changes
})

test('speed is unknown before the first time, then the first value, then a mean that follows', () => {
  const speed = createSpeed()
  assert.deepEqual(speed.of('a'), { image_ms: null, latency_ms: null })
  speed.batch({ model: 'a', images: 4, elapsedMs: 400, scaleMs: [] })
  speed.attempt(attempt({}))
  assert.deepEqual(speed.of('a'), { image_ms: 100, latency_ms: 300 })
  speed.batch({ model: 'a', images: 1, elapsedMs: 200, scaleMs: [] })
  speed.attempt(attempt({ endedAt: 1_000 }))
  assert.deepEqual(speed.of('a'), { image_ms: 120, latency_ms: 400 })
  assert.deepEqual(speed.of('b'), { image_ms: null, latency_ms: null })
})

test('only generations that succeeded count for the latency', () => {
  const speed = createSpeed()
  for (const outcome of ['failed', 'retried', 'canceled', 'handed_back', 'lost'] as const) speed.attempt(attempt({ outcome }))
  assert.equal(speed.of('a').latency_ms, null)
})
