import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isModelUrl, readModelUrl } from './model-url.ts'

test('an address names a bucket and a prefix in it, with closing slashes or without', () => {
  assert.deepEqual(readModelUrl('s3://models/team/var-d16'), {
    url: 's3://models/team/var-d16',
    bucket: 'models',
    prefix: 'team/var-d16/'
  })
  assert.deepEqual(readModelUrl('s3://models/a//'), { url: 's3://models/a', bucket: 'models', prefix: 'a/' })
  assert.deepEqual(readModelUrl('s3://my.models/run=3/..a/b..'), {
    url: 's3://my.models/run=3/..a/b..',
    bucket: 'my.models',
    prefix: 'run=3/..a/b../'
  })
})

const BUCKET =
  /^it is written s3:\/\/bucket\/prefix, and the bucket's name must have 3 to 63 lower-case letters, digits, "\." and "-"/
const CHARACTERS = /, and the prefix must have letters, digits and "\._=\+@-" alone, in parts separated by one "\/" each$/
const NONE = /, and a prefix must follow the bucket's name$/
const DOTS = /, and no part of the prefix may be "\." or "\.\."$/

for (const [text, sentence] of [
  ['s3://', BUCKET],
  ['s3:///a', BUCKET],
  ['s3://A/b', BUCKET],
  ['s3://bk/m/1', BUCKET],
  ['s3://m/a', BUCKET],
  ['s3://-models/a', BUCKET],
  ['s3://mod..els/a', BUCKET],
  [`s3://${'m'.repeat(64)}/a`, BUCKET],
  ['s3://models', NONE],
  ['s3://models//', NONE],
  ['s3://models//a', CHARACTERS],
  ['s3://models/a?b', CHARACTERS],
  ['s3://models/a b', CHARACTERS],
  ['s3://models/a\u001b', CHARACTERS],
  ['s3://models/a\n', CHARACTERS],
  ['s3://models/a/../b', DOTS],
  ['s3://models/..', DOTS],
  ['s3://models/./b', DOTS],
  ['s3://models/b/./', DOTS]
] as const) {
  test(`${JSON.stringify(text)} is meant as one, and refused with what is wrong with it`, () => {
    assert.equal(isModelUrl(text), true)
    const read = readModelUrl(text)
    assert.ok('fault' in read)
    assert.match(read.fault, sentence)
  })
}

test('what does not begin as one is none', () => {
  for (const text of ['models/a', '/s3://a', 'https://models/a']) {
    assert.equal(isModelUrl(text), false)
    assert.deepEqual(readModelUrl(text), { fault: 'it is written s3://bucket/prefix, and it must begin with s3://' })
  }
})
