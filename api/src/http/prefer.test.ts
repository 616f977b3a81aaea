import assert from 'node:assert/strict'
import { test } from 'node:test'
import { preferredWait } from './prefer.ts'

for (const [prefer, seconds] of [
  [undefined, undefined],
  ['wait=10', 10],
  ['Wait = "7"', 7],
  ['respond-async, wait=5; reason=x', 5],
  ['handling="a, wait=9", wait=3', 3],
  ['wait=600', 60],
  ['wait=0', undefined],
  ['wait', 60],
  ['WAIT ;x=1', 60],
  ['respond-async, wait', 60],
  ['wait=', 60],
  ['wait=""', 60],
  ['waiting, wait=x', undefined],
  ['wait=soon', undefined],
  ['wait=-1', undefined],
  [',;=,"', undefined]
] as const) {
  test(`Prefer: ${prefer} waits ${seconds ?? 'not'}`, () => assert.equal(preferredWait(prefer, 60), seconds))
}
