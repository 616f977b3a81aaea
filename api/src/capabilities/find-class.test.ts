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

test('a name is found whatever sets its words apart, its case, and the width of its characters', () => {
  const of = modelCard({ classes: ['soccer ball', 'fox', 'T-Shirt', 'Café au lait'] })
  for (const [label, spellings] of [
    [
      0,
      [
        'soccer_ball',
        'soccer  ball',
        'Soccer-Ball',
        'soccer\u00a0ball',
        'soccer\u3000ball',
        'soccerball',
        'soccer\tball',
        ' soccer_-_ball '
      ]
    ],
    [1, ['ｆｏｘ', 'fo\u200bx', '\ufefffox', 'ＦＯＸ', 'f\u00adox', 'fox\u2060', 'fox\ufe0f', 'f o x', 'fox\u2014']],
    [2, ['t shirt', 'TSHIRT', 't\u2011shirt', 't_shirt']],
    [3, ['cafe\u0301 au lait', 'CAFÉ_AU_LAIT']]
  ] as const)
    for (const class_name of spellings) assert.equal(findClass(of, { class_name }).class_label, label, JSON.stringify(class_name))
  for (const class_name of ['-', '_', '\u200b', ' ']) assert.equal(problemOf({ class_name }, of).code, 'unknown_class')
})

test('of names that differ in such things alone, the one spelt exactly so is meant, or the one that differs least', () => {
  const of = modelCard({ classes: ['t-shirt', 'T-Shirt', 't_shirt', 'tee', 'TEE'] })
  const labelOf = (class_name: string) => findClass(of, { class_name }).class_label
  assert.deepEqual(['t-shirt', 'T-Shirt', 't_shirt', 'T_SHIRT', 'TEE'].map(labelOf), [0, 1, 2, 2, 4])
  const problem = problemOf({ class_name: 'tshirt' }, of)
  assert.equal(problem.code, 'ambiguous_class')
  assert.match(
    problem.message,
    /^"tshirt" may be any of the classes 0 \("t-shirt"\), 1 \("T-Shirt"\), 2 \("t_shirt"\) of emoji-32\./
  )
  assert.equal(findClass(of, { class_name: 'tshirt', class_label: 1 }).class_name, 'T-Shirt')
})

test('the names near an unknown one are those that are near it as names are compared', () => {
  const of = modelCard({ classes: ['soccer ball', 'water_polo', 'fox'] })
  assert.match(problemOf({ class_name: 'ＳＯＣＣＥＲ_bal' }, of).message, /The nearest: "soccer ball"\./)
  assert.match(problemOf({ class_name: 'w-a-t-e-r p-o-l' }, of).message, /The nearest: "water_polo"\./)
})

test('a label the model has not is refused with the range it has', () => {
  const problem = problemOf({ class_label: 4 })
  assert.equal(problem.code, 'unknown_class')
  assert.match(problem.message, /classes 0 to 3/)
  assert.equal(problemOf({ class_label: 0 }, modelCard({ classes: [] })).code, 'unknown_class')
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
  assert.match(problem.message, /the classes 2 \("robot"\), 3 \("robot"\)/)
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
