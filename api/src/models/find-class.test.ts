import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GenerateRequest } from '@nextscale/openapi'
import { ProblemError } from '../http/problem.ts'
import { modelCard } from '../testing/model-card.ts'
import { findClass } from './find-class.ts'

const card = modelCard()

const problemOf = (request: GenerateRequest, of = card): ProblemError => {
  try {
    findClass(of, request)
  } catch (error) {
    if (error instanceof ProblemError) return error
  }
  return assert.fail('It was not refused')
}

test('neither label nor name, or null for either, is unconditional', () => {
  for (const request of [{}, { class_label: null }, { class_name: null }]) {
    assert.deepEqual(findClass(card, request), { class_label: null, class_name: null })
  }
})

test('a label brings its name and a name its label, without regard to case', () => {
  assert.deepEqual(findClass(card, { class_label: 1 }), { class_label: 1, class_name: 'grinning face' })
  assert.deepEqual(findClass(card, { class_name: ' GRINNING cat ' }), { class_label: 0, class_name: 'Grinning Cat' })
})

test('a label the model has not is refused with the range it has', () => {
  const problem = problemOf({ class_label: 4 })
  assert.equal(problem.code, 'unknown_class')
  assert.match(problem.message, /classes 0 to 3/)
  assert.equal(problemOf({ class_label: 0 }, modelCard({ num_classes: 0, classes: [] })).code, 'unknown_class')
})

test('an unknown name is refused with the names near it', () => {
  const problem = problemOf({ class_name: 'grining face' })
  assert.equal(problem.code, 'unknown_class')
  assert.match(problem.message, /"grinning face"/)
  assert.deepEqual(
    problem.errors.map(({ pointer }) => pointer),
    ['/class_name']
  )
})

test('a name several classes have is refused with their labels, and a label decides', () => {
  const problem = problemOf({ class_name: 'Robot' })
  assert.equal(problem.code, 'ambiguous_class')
  assert.match(problem.message, /Classes 2, 3/)
  assert.deepEqual(findClass(card, { class_name: 'robot', class_label: 3 }), { class_label: 3, class_name: 'robot' })
})

test('a label and a name that disagree are refused, and both fields named', () => {
  const problem = problemOf({ class_name: 'robot', class_label: 0 })
  assert.equal(problem.code, 'unknown_class')
  assert.deepEqual(
    problem.errors.map(({ pointer }) => pointer),
    ['/class_label', '/class_name']
  )
})
