import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAccept } from './accept.ts'

for (const [accept, json, formats] of [
  [undefined, true, []],
  ['*/*', true, []],
  ['image/png', false, ['png']],
  ['IMAGE/*', false, ['png', 'webp', 'jpeg']],
  ['image/*, image/png;q=0', false, ['webp', 'jpeg']],
  ['image/jpeg;q=0.5, image/webp', false, ['webp', 'jpeg']],
  ['image/png, application/json', true, []],
  ['image/png, application/json;q=0.5', true, ['png']],
  ['image/avif, image/webp, */*;q=0.8', true, ['webp']],
  ['text/html', false, []],
  ['image/png;q=0', false, []],
  ['image/jpg', false, ['jpeg']],
  ['IMAGE/JPG;q=0.9, image/png;q=0.5', false, ['jpeg', 'png']],
  ['', true, []],
  [',', true, []],
  [' , ,, ', true, []],
  [';q=1', true, []],
  [',image/webp,', false, ['webp']]
] as const) {
  test(`Accept: ${accept}`, () => assert.deepEqual(readAccept(accept), { json, formats }))
}
