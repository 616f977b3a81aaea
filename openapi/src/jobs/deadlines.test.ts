import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lapseOf } from './deadlines.ts'

const of = (deadline: number, start: number | null) => ({ deadline_seconds: deadline, start_deadline_seconds: start })

test('nothing lapses before its deadline, and everything at it', () => {
  assert.equal(lapseOf(of(600, null), 1000, false, 600_999), null)
  assert.deepEqual(lapseOf(of(600, null), 1000, false, 601_000), { outcome: 'deadline', at: 601_000 })
  assert.equal(lapseOf(of(600, 5), 0, false, 4999), null)
  assert.deepEqual(lapseOf(of(600, 5), 0, false, 5000), { outcome: 'expired', at: 5000 })
})

test('the start deadline counts only until the first start', () => {
  assert.equal(lapseOf(of(600, 5), 0, true, 7000), null)
  assert.deepEqual(lapseOf(of(600, 5), 0, true, 600_000), { outcome: 'deadline', at: 600_000 })
})

test('what lapsed stays as it lapsed, however much later one looks', () => {
  const late = 10_000_000
  assert.deepEqual(lapseOf(of(10, 5), 0, false, late), { outcome: 'expired', at: 5000 })
  assert.deepEqual(lapseOf(of(5, 10), 0, false, late), { outcome: 'deadline', at: 5000 })
  assert.deepEqual(lapseOf(of(5, 5), 0, false, late), { outcome: 'expired', at: 5000 })
})
