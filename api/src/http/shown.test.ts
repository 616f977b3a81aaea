import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shown } from './shown.ts'

const nested = (depth: number): unknown => {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

test('what fits is shown as its JSON', () => {
  for (const value of [null, true, 0, -1.5, '', 'a "b"\n', [], {}, [1, 'a', null], { a: [{ b: 1 }], 'c d': {} }, 'x'.repeat(58)])
    assert.equal(shown(value), JSON.stringify(value))
})

test('what does not fit is cut off where its JSON would be', () => {
  const long = [
    'x'.repeat(59),
    'x'.repeat(60_000),
    Array.from({ length: 9000 }, (_, i) => i),
    { ['k'.repeat(99)]: 1 },
    Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`a${i}`, [i, {}]])),
    [['x'.repeat(20), { a: 'y'.repeat(40) }], 1]
  ]
  for (const value of long) assert.equal(shown(value), `${JSON.stringify(value).slice(0, 60)}…`)
})

test('what is nested deeper than any stack is shown as well', () => {
  assert.equal(shown(nested(100_000)), `${'{"a":['.repeat(10)}…`)
})

test('no number is shown as null, and half a character not at all', () => {
  assert.deepEqual([Number.POSITIVE_INFINITY, Number.NaN].map(shown), ['Infinity', 'NaN'])
  assert.equal(shown(`${'x'.repeat(58)}🦊🦊`), `"${'x'.repeat(58)}\ufffd…`)
})
