import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from './nearest.ts'

test('a misspelt name finds the one that was meant', () => {
  assert.deepEqual(nearest('num_imges', ['num_images', 'metadata', 'seed'], { count: 1 }), ['num_images'])
  assert.deepEqual(nearest('GRINING cat', ['Grinning Cat', 'robot']), ['Grinning Cat'])
})

test('part of a name finds the names that contain it', () => {
  assert.deepEqual(nearest('retriever', ['golden retriever', 'tabby', 'flat-coated retriever']).toSorted(), [
    'flat-coated retriever',
    'golden retriever'
  ])
})

test('nothing like it finds nothing', () => {
  assert.deepEqual(nearest('zzzzzzzz', ['model', 'seed']), [])
})
