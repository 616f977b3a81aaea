import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GenerateRequest } from '@nextscale/openapi'
import { ProblemError } from '../http/problem.ts'
import { withoutNulls, type WithoutNulls } from '../http/without-nulls.ts'
import { modelCard } from '../testing/model-card.ts'
import { resolveSchedule } from './resolve-schedule.ts'

/** Three scales, 64 tokens, four classes. */
const card = modelCard()
type Schedule = NonNullable<WithoutNulls<GenerateRequest>['schedule']>

const problemOf = (schedule: Schedule, of = card): ProblemError => {
  try {
    resolveSchedule(of, schedule)
  } catch (error) {
    if (error instanceof ProblemError) return error
  }
  return assert.fail('It was not refused')
}

const pointersOf = ({ errors }: ProblemError) => errors.map(({ pointer }) => pointer)

test('what is left out is null, and a schedule that says nothing is none', () => {
  const { cfg, ...rest } = resolveSchedule(card, { cfg: [0, 1.5, 20] }) ?? {}
  assert.deepEqual(cfg, [0, 1.5, 20])
  assert.partialDeepStrictEqual(rest, { top_k: null, top_p: null, class_label: null })
  assert.deepEqual(new Set(Object.values(rest)), new Set([null]))
  for (const nothing of [null, {}]) assert.equal(resolveSchedule(card, nothing), null)
})

test('a schedule in force can be asked for again', () => {
  const schedule = resolveSchedule(card, { top_k: [0, 64, 1], top_p: [1, 0.5, 1e-6], class_label: [null, 0, 3] })
  assert.ok(schedule)
  assert.deepEqual(resolveSchedule(card, withoutNulls(schedule, [])), schedule)
})

test('every array has one entry per scale, no more and no less', () => {
  const problem = problemOf({ cfg: [1, 1], top_k: [1, 1, 1], top_p: [1, 1, 1, 1], class_label: [] })
  assert.equal(problem.code, 'out_of_range_for_model')
  assert.deepEqual(pointersOf(problem), ['/schedule/cfg', '/schedule/top_p', '/schedule/class_label'])
  assert.match(problem.message, /emoji-32 has 3 scales: send one entry for each, not 2/)
})

test('each top_k past the vocabulary is named by its scale', () => {
  const problem = problemOf({ top_k: [65, 64, 1000] })
  assert.equal(problem.code, 'out_of_range_for_model')
  assert.deepEqual(pointersOf(problem), ['/schedule/top_k/0', '/schedule/top_k/2'])
})

test('each class the model has not is named by its scale', () => {
  const problem = problemOf({ class_label: [3, null, 4] })
  assert.equal(problem.code, 'unknown_class')
  assert.deepEqual(pointersOf(problem), ['/schedule/class_label/2'])
  assert.match(problem.message, /classes 0 to 3/)
  assert.match(problemOf({ class_label: [null, 0, null] }, modelCard({ classes: [] })).message, /has no classes/)
})
