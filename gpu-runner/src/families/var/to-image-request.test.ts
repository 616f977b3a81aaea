import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QueuedInput } from '@nextscale/openapi'
import { generationInput as input } from './testing/generation-input.ts'
import { toImageRequest } from './to-image-request.ts'

test('every setting reaches the sampler, and the seed is the picture’s own', () => {
  assert.deepEqual(toImageRequest(input({ smooth: true, previews: [1, 4] }), 2), {
    seed: 42,
    label: 7,
    cfg: 3,
    topK: 200,
    topP: 0.95,
    smooth: true,
    schedule: null,
    previews: [1, 4]
  })
})

test('of a schedule only what it sets is passed on, each array as it is', () => {
  const scheduleOf = (schedule: NonNullable<QueuedInput['schedule']>) => toImageRequest(input({ schedule }), 1).schedule
  assert.deepEqual(scheduleOf({ cfg: [0, 2] }), { cfg: [0, 2] })
  assert.deepEqual(scheduleOf({ top_k: [0, 9], top_p: [1, 0.5], class_label: [null, 3] }), {
    topK: [0, 9],
    topP: [1, 0.5],
    label: [null, 3]
  })
})

test('a draft stops at its scale, and a variation keeps the seed of the same picture of its parent', () => {
  const request = toImageRequest(input({ stop_at_scale: 0, keep: { seed: 4_294_967_295, scales: 3 } }), 2)
  assert.equal(request.stopAtScale, 0)
  assert.deepEqual(request.keep, { seed: 1, scales: 3 })
  assert.equal(request.seed, 42)
})
