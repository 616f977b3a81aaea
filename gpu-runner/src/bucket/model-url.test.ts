import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isModelUrl, parseModelUrl } from './model-url.ts'

test('an address names a bucket and a prefix in it, with closing slashes or without', () => {
  assert.deepEqual(parseModelUrl('s3://models/team/var-d16'), {
    url: 's3://models/team/var-d16',
    bucket: 'models',
    prefix: 'team/var-d16/'
  })
  assert.deepEqual(parseModelUrl('s3://models/a//'), { url: 's3://models/a', bucket: 'models', prefix: 'a/' })
  assert.deepEqual(parseModelUrl('s3://models'), { url: 's3://models', bucket: 'models', prefix: '' })
})

test('what is meant as one and is none is known as such', () => {
  for (const text of [
    's3://',
    's3:///a',
    's3://A/b',
    's3://models//a',
    's3://models/a?b',
    's3://models/a b',
    's3://m/a',
    's3://models/a\u001b'
  ])
    assert.deepEqual([isModelUrl(text), parseModelUrl(text)], [true, undefined], text)
  for (const text of ['models/a', '/s3://a', 'https://models/a']) assert.equal(isModelUrl(text), false)
})
