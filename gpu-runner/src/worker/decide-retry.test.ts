import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GENERATION_ERROR_CODES, generateImageJob } from '@nextscale/openapi'
import { decideRetry } from './decide-retry.ts'

const delays = (code: (typeof GENERATION_ERROR_CODES)[number]): number[] => {
  const found: number[] = []
  for (let attempt = 1; ; attempt++) {
    const decision = decideRetry(code, attempt)
    if (decision.kind === 'give-up') return found
    found.push(decision.delayMs)
  }
}

test('every code gives up before the job’s own attempts run out', () => {
  for (const code of GENERATION_ERROR_CODES) assert.ok(delays(code).length < generateImageJob.attempts, code)
})

test('what cannot get better is not tried again', () => {
  assert.deepEqual(delays('invalid_job'), [])
  assert.deepEqual(delays('runner_lost'), [])
})

test('an object store that is away for four minutes fails nothing', () => {
  const waits = delays('object_store_unavailable')
  assert.ok(waits.reduce((sum, ms) => sum + ms, 0) > 240_000)
  assert.ok(waits.every((ms) => ms <= 60_000))
})

test('a failing sampler is given three attempts', () => {
  assert.deepEqual(delays('sampler_crashed'), [500, 1_000])
})
