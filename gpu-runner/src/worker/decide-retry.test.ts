import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEADLINE_SECONDS, GENERATION_ERROR_CODES, generateImageJob, MAX_DEADLINE_SECONDS } from '@nextscale/openapi'
import { decideRetry, isOwnFault } from './decide-retry.ts'

/** Pauses of a generation whose every attempt ends with the code, for as long as it has no more to say than these. */
const delays = (code: (typeof GENERATION_ERROR_CODES)[number], most = 1000): number[] => {
  const found: number[] = []
  for (let attempt = 1; attempt <= most; attempt++) {
    const decision = decideRetry(code, attempt, isOwnFault(code) ? attempt : 0)
    if (decision.kind === 'give-up') return found
    found.push(decision.delayMs)
  }
  return found
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

test('what cannot get better is not tried again', () => {
  assert.deepEqual(delays('invalid_job'), [])
  assert.deepEqual(delays('deadline_exceeded'), [])
})

for (const code of ['object_store_unavailable', 'model_load_failed'] as const)
  test(`an object store may be away, or a model unable to be loaded, until the deadline, whatever that is: ${code}`, () => {
    const waits = delays(code, 3000)
    assert.ok(sum(waits) > MAX_DEADLINE_SECONDS * 1000)
    assert.ok(waits.every((ms) => ms <= 60_000))
    // Of a usual one it is tried often enough to come back soon after the outage.
    assert.ok(delays(code, 12).length === 12 && sum(delays(code, 12)) < DEADLINE_SECONDS * 1000)
  })

test('no attempt that a deadline has room for is more than the job allows', () => {
  assert.ok((MAX_DEADLINE_SECONDS * 1000) / Math.min(...delays('object_store_unavailable', 3)) < generateImageJob.attempts)
})

test('what fails by its own doing is given three attempts, whatever outages it has seen before', () => {
  for (const code of ['sampler_crashed', 'sampler_failed', 'internal_error'] as const) {
    assert.deepEqual(delays(code), [500, 1_000])
    assert.equal(decideRetry(code, 40, 2).kind, 'retry')
    assert.equal(decideRetry(code, 40, 3).kind, 'give-up')
  }
})

test('outages, and runners or models that are away, are nobody’s own fault', () => {
  const own = GENERATION_ERROR_CODES.filter(isOwnFault)
  assert.deepEqual(own, ['sampler_failed', 'sampler_crashed', 'internal_error'])
})
