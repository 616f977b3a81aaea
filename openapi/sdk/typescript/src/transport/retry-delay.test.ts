import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NextscaleError } from '../errors.ts'
import { readRetryAfter } from './retry-after.ts'
import { retryDelayMs } from './retry-delay.ts'

const retryAfter = (value: string, date?: string) =>
  readRetryAfter(new Headers({ 'retry-after': value, ...(date && { date }) }), () => Date.parse('2026-01-01T00:00:00Z'))

describe('Retry-After', () => {
  it('is read as seconds', () => assert.equal(retryAfter('7'), 7000))
  it('is read as a date, by the clock of the server', () =>
    assert.equal(retryAfter('Thu, 01 Jan 2026 00:01:30 GMT', 'Thu, 01 Jan 2026 00:01:20 GMT'), 10_000))
  it('is read as a date, by the clock here where the server says none', () =>
    assert.equal(retryAfter('Thu, 01 Jan 2026 00:00:05 GMT'), 5000))
  it('is nothing before now', () => assert.equal(retryAfter('Wed, 31 Dec 2025 00:00:00 GMT'), 0))
  for (const value of ['', '-1', 'soon', '1e3', '2 seconds'])
    it(`is ignored when it is "${value}"`, () => assert.equal(retryAfter(value), null))
})

const delay = (retryAfterMs: number | null, attempt = 0, retryable = true) =>
  retryDelayMs(new NextscaleError({ code: 'rate_limited', detail: '', retryable, retryAfterMs }), {
    attempt,
    maxRetries: 3,
    random: () => 0.5
  })

describe('the delay before another attempt', () => {
  it('is exactly what the server asks for', () => assert.equal(delay(7000, 2), 7000))
  it('grows where the server asks for none', () =>
    assert.deepEqual([delay(null), delay(null, 1), delay(null, 2)], [375, 750, 1500]))
  it('is never none', () => assert.equal(delay(0), 375))
  it('is none after the last attempt, nor for what will not succeed later', () =>
    assert.deepEqual([delay(1, 3), delay(1, 0, false)], [null, null]))
  it('is none where the server asks for more than a minute: an earlier attempt would be refused', () =>
    assert.equal(delay(61_000), null))
})
