import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunnerCard } from '@nextscale/openapi'
import { estimateMs } from './estimate.ts'

const MODEL = { pool: 'default', model: 'emoji-32' }

const card = (imageMs: number | null, latencyMs: number | null, id = 'emoji-32'): RunnerCard => ({
  id: 'runner',
  version: '1',
  started_at: '2026-01-01T00:00:00.000Z',
  announced_at: '2026-01-01T00:00:00.000Z',
  max_batch: 16,
  models: [{ id, image_ms: imageMs, latency_ms: latencyMs }]
})

test('the wait is shared among the runners that serve the model, and the latency comes on top', () => {
  assert.equal(estimateMs([card(100, 300)], MODEL, 0), 300)
  assert.equal(estimateMs([card(100, 300)], MODEL, 10), 1300)
  assert.equal(estimateMs([card(100, 300), card(100, 500), card(1, 1, 'other')], MODEL, 10), 900)
})

test('of several pools those count whose queue it waits in', () => {
  const fast = { ...card(10, 30), pool: 'fast' }
  assert.equal(estimateMs([card(100, 300), fast], MODEL, 10), 1300)
  assert.equal(estimateMs([card(100, 300), fast], { ...MODEL, pool: 'fast' }, 10), 130)
})

test('without runners, measures or a place there is no estimate', () => {
  assert.equal(estimateMs([], MODEL, 1), null)
  assert.equal(estimateMs([card(null, null)], MODEL, 1), null)
  assert.equal(estimateMs([card(100, 300)], MODEL, null), null)
})
