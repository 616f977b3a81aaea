import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GenerateRequest } from '@nextscale/openapi'
import { ProblemError } from '../http/problem.ts'
import type { WithoutNulls } from '../http/without-nulls.ts'
import { modelCard } from '../testing/model-card.ts'
import { resolvePreviews } from './resolve-previews.ts'

const resolve = (scales: number, request: WithoutNulls<GenerateRequest>) =>
  resolvePreviews(modelCard({ scales: Array.from({ length: scales }, (_, k) => ({ height: k + 1, width: k + 1 })) }), request)

test('auto chooses about three scales, spread, and never the one that makes the picture', () => {
  assert.deepEqual(resolve(10, { previews: 'auto' }), [2, 5, 7])
  assert.deepEqual(resolve(7, { previews: 'auto' }), [2, 3, 5])
  assert.deepEqual(resolve(10, { previews: 'auto', stop_at_scale: 5 }), [1, 3, 4])
  for (let scales = 1; scales < 30; scales++) {
    const chosen = resolve(scales, { previews: 'auto' })
    assert.equal(chosen.length, Math.min(3, new Set(chosen).size))
    assert.ok(chosen.every((scale) => scale < scales - 1))
    assert.ok(chosen.length > 0 || scales === 1)
  }
})

test('scales that are named come in ascending order; none is none', () => {
  assert.deepEqual(resolve(10, { previews: [8, 0, 3] }), [0, 3, 8])
  for (const request of [{}, { previews: 'none' }, { previews: [] }] satisfies GenerateRequest[])
    assert.deepEqual(resolve(10, request), [])
})

test('every scale that cannot be is refused by its place in the list', () => {
  assert.throws(() => resolve(10, { previews: [10, 3, 9] }), {
    code: 'out_of_range_for_model',
    errors: [
      { pointer: '/previews/0', detail: 'emoji-32 has scales 0 to 9, no scale 10. Ask for scales of 0 to 8, or leave it out.' },
      { pointer: '/previews/2', detail: 'Scale 9 makes the picture itself. Ask for scales of 0 to 8, or leave it out.' }
    ]
  })
  assert.throws(() => resolve(10, { previews: [6], stop_at_scale: 5 }), {
    errors: [
      { pointer: '/previews/0', detail: 'The draft stops at scale 5, before scale 6. Ask for scales of 0 to 4, or leave it out.' }
    ]
  })
})

test('what may be asked for instead is what is taken', () => {
  const detailOf = (scales: number, request: WithoutNulls<GenerateRequest>) => {
    try {
      return resolve(scales, request)
    } catch (error) {
      return error instanceof ProblemError ? error.errors[0]?.detail : error
    }
  }
  assert.equal(
    detailOf(7, { previews: [7] }),
    'emoji-32 has scales 0 to 6, no scale 7. Ask for scales of 0 to 5, or leave it out.'
  )
  assert.deepEqual(detailOf(7, { previews: [5, 0] }), [0, 5])
  assert.equal(detailOf(2, { previews: [1] }), 'Scale 1 makes the picture itself. Ask for scale 0, or leave it out.')
  assert.equal(
    detailOf(1, { previews: [0] }),
    'Scale 0 makes the picture itself. No scale is drawn before it: leave previews out.'
  )
  assert.equal(
    detailOf(7, { previews: [9], stop_at_scale: 3 }),
    'emoji-32 has scales 0 to 6, no scale 9. Ask for scales of 0 to 2, or leave it out.'
  )
})
