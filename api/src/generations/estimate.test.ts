import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunnerCard } from '@nextscale/openapi'
import { estimateMs } from './estimate.ts'

const card = (imageMs: number | null, latencyMs: number | null, id = 'emoji-32'): RunnerCard => ({
  id: 'runner',
  version: '1',
  started_at: '2026-01-01T00:00:00.000Z',
  announced_at: '2026-01-01T00:00:00.000Z',
  max_batch: 16,
  models: [{ id, image_ms: imageMs, latency_ms: latencyMs }]
})

test('the wait is shared among the runners that serve the model, and the latency comes on top', () => {
  assert.equal(estimateMs([card(100, 300)], 'emoji-32', 0), 300)
  assert.equal(estimateMs([card(100, 300)], 'emoji-32', 10), 1300)
  assert.equal(estimateMs([card(100, 300), card(100, 500), card(1, 1, 'other')], 'emoji-32', 10), 900)
})

test('without runners, measures or a place there is no estimate', () => {
  assert.equal(estimateMs([], 'emoji-32', 1), null)
  assert.equal(estimateMs([card(null, null)], 'emoji-32', 1), null)
  assert.equal(estimateMs([card(100, 300)], 'emoji-32', null), null)
})
