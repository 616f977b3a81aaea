import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateImageJob } from './generate-image.ts'
import { virtualPriority } from './priority.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const unitStart = Date.parse('2026-06-01T12:00:00Z')
const of = (priority: 'high' | 'normal' | 'low', at: number) => virtualPriority(generateImageJob.priority, priority, at)

test('of jobs accepted together the urgent come first, and those of one priority are equal', () => {
  assert.ok(of('high', unitStart + 299 * SECOND) < of('normal', unitStart))
  assert.ok(of('normal', unitStart + 299 * SECOND) < of('low', unitStart))
  assert.equal(of('normal', unitStart), of('normal', unitStart + 299 * SECOND))
})

test('whatever waits overtakes what is accepted some minutes later', () => {
  for (const at of [unitStart, unitStart + 150 * SECOND, unitStart + 299 * SECOND]) {
    assert.ok(of('normal', at) < of('high', at + 10 * MINUTE))
    assert.ok(of('low', at) < of('high', at + 35 * MINUTE))
  }
})

test('priorities stay within what BullMQ takes, and are never the 0 that would overtake all', () => {
  assert.equal(of('high', 0), 1)
  assert.equal(of('low', Date.parse('2100-01-01T00:00:00Z')), 2 ** 21 - 1)
  assert.ok(of('low', Date.parse('2045-01-01T00:00:00Z')) < 2 ** 21 - 1)
})
