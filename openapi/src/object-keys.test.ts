import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isObjectKey, pictureKey, tokensKey } from './object-keys.ts'
import { IMAGE_FORMATS } from './schemas/generate-request.ts'

const ID = `gen_${'a2'.repeat(13)}`

test('every key this project writes is one it accepts', () => {
  for (const index of [0, 15]) {
    for (const format of IMAGE_FORMATS) assert.ok(isObjectKey(pictureKey(ID, index, format)))
    assert.ok(isObjectKey(tokensKey(ID, index)))
  }
})

test('nothing else is a key', () => {
  const key = pictureKey(ID, 0, 'png')
  const others = ['', '/', '..', `/${key}`, `${key}/`, `${key}\n`, `x/${key}`, `../${key}`, key.replace('0.png', '../0.png')]
  const strange = [
    key.replace('.png', '.svg'),
    `${key}.tokens`,
    key.replace('0.png', '100.png'),
    key.toUpperCase(),
    `generations/${ID}/.link-secret`
  ]
  for (const other of [...others, ...strange]) assert.ok(!isObjectKey(other), other)
})
