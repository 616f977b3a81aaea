import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ATTEMPT_OUTCOMES } from '@nextscale/openapi'
import { type Attempted, decideRetry } from './decide-retry.ts'

const DAY_MS = 86_400_000
const DELAYS_MS = [5000, 30_000, 3_600_000]
const MIDDLE = 0.5

const attempted = (changes: Partial<Attempted> = {}): Attempted => ({
  outcome: 'rejected',
  statusCode: 500,
  retryAfterMs: null,
  attempt: 1,
  ...changes
})
const decide = (changes?: Partial<Attempted>, random = MIDDLE) => decideRetry(attempted(changes), DELAYS_MS, random)

test('whatever is no delivery is tried again by the schedule, and after the last pause given up', () => {
  for (const outcome of ['rejected', 'unreachable', 'timeout', 'refused'] as const) {
    const decisions = [1, 2, 3, 4].map((attempt) => decide({ outcome, attempt }))
    assert.deepEqual(decisions, [...DELAYS_MS.map((delayMs) => ({ kind: 'retry', delayMs })), { kind: 'give-up' }])
  }
})

test('every outcome there is has a decision', () => {
  const kinds = Object.fromEntries(ATTEMPT_OUTCOMES.map((outcome) => [outcome, decide({ outcome }).kind]))
  assert.deepEqual(kinds, {
    delivered: 'done',
    rejected: 'retry',
    unreachable: 'retry',
    timeout: 'retry',
    refused: 'retry',
    gone: 'give-up'
  })
})

test('410 ends it, and no other status does', () => {
  const final = Array.from({ length: 600 - 300 }, (_, index) => 300 + index).filter(
    (statusCode) => decide({ statusCode }).kind === 'give-up'
  )
  assert.deepEqual(final, [410])
})

test('a pause is up to a tenth shorter or longer, by chance', () => {
  assert.deepEqual(decide({}, 0), { kind: 'retry', delayMs: 4500 })
  assert.deepEqual(decide({}, 1), { kind: 'retry', delayMs: 5500 })
})

test('Retry-After makes a pause longer, never shorter, and no longer than a day', () => {
  assert.deepEqual(decide({ retryAfterMs: 60_000 }), { kind: 'retry', delayMs: 60_000 })
  assert.deepEqual(decide({ retryAfterMs: 1000 }), { kind: 'retry', delayMs: 5000 })
  assert.deepEqual(decide({ retryAfterMs: 30 * DAY_MS }), { kind: 'retry', delayMs: DAY_MS })
  assert.deepEqual(decide({ retryAfterMs: 60_000, attempt: 4 }), { kind: 'give-up' }, 'it adds no attempt')
})
