import assert from 'node:assert/strict'
import { test } from 'node:test'
import Type, { type Static } from 'typebox'
import { Check } from 'typebox/value'
import { generateRequestOf } from '../schemas/generate-request.ts'
import { generationInputOf, queuedInputOf } from '../schemas/generation-input.ts'
import type { Capability } from './capability.ts'
import { completeDefaults, completeValues, defaultFields, nothingOf } from './derive.ts'
import { scheduleOf } from './schedule.ts'
import { settingsOf } from './settings.ts'
import { CAPABILITIES } from './table.ts'

/** A knob as somebody would add it: one entry, under a name that nobody gives one. */
const knob_of_this_test = {
  kind: 'steering',
  asked: Type.Number({ minimum: 0, maximum: 10, description: 'Flattens the distribution. Default: the model’s.' }),
  value: Type.Number({ minimum: 0, description: 'How flat the distribution is; 1 is as the model has it.' }),
  neutral: 1,
  ofModel: Type.Number({ minimum: 0, description: 'How flat the distribution is.' }),
  perScale: { value: Type.Number({ minimum: 0, maximum: 10 }), description: '`knob_of_this_test` of each scale.' }
} as const satisfies Capability

const { schedule: _schedule, ...plain } = CAPABILITIES
const extended = { ...CAPABILITIES, knob_of_this_test, schedule: scheduleOf({ ...plain, knob_of_this_test }) }
const Request = generateRequestOf(extended)
const Input = generationInputOf(extended)
const Queued = queuedInputOf(extended)
const Defaults = Type.Object(defaultFields(extended))

/** What a model of the release before this one takes, and a job of it. */
const VAR = [
  'class_label',
  'class_name',
  'cfg',
  'top_k',
  'top_p',
  'smooth',
  'schedule',
  'stop_at_scale',
  'previews',
  'return_tokens'
]
const QUEUED = {
  model: 'emoji-32',
  model_revision: 'r1',
  class_label: 2,
  class_name: 'fox',
  cfg: 3,
  top_k: 200,
  top_p: 0.95,
  smooth: false,
  schedule: null
}
const REST = {
  model: 'emoji-32',
  model_revision: 'r1',
  num_images: 1,
  seed: 7,
  output: { format: 'png', quality: null, metadata: true },
  priority: 'normal',
  keep: null,
  deadline_seconds: 600,
  start_deadline_seconds: null,
  retention_seconds: 60
} as const

test('every neutral value is a value in force, and asking for it is a request', () => {
  for (const [name, capability] of Object.entries(CAPABILITIES)) {
    assert.ok(Check(capability.value, capability.neutral), name)
    const nothing = nothingOf(capability)
    assert.ok(nothing === null || Check(capability.asked, nothing), name)
  }
})

test('a new knob is a field of requests, of the settings in force, of the schedule and of the defaults, with its type', () => {
  const request: Static<typeof Request> = { knob_of_this_test: 0.5, schedule: { knob_of_this_test: [1, 0.5] } }
  assert.ok(Check(Request, request))
  // @ts-expect-error A number is asked for.
  const mistyped: Static<typeof Request> = { knob_of_this_test: 'hot' }
  assert.ok(!Check(Request, mistyped))
  assert.ok(!Check(Request, { schedule: { knob_of_this_test: [-1] } }))
  const input: Static<typeof Input> = { ...completeValues(extended, QUEUED), ...REST }
  const { knob_of_this_test: value }: { knob_of_this_test: number } = input
  assert.equal(value, 1)
  assert.ok(Check(Input, input))
  const defaults: Static<typeof Defaults> = completeDefaults(extended, ['knob_of_this_test', 'cfg'], {
    cfg: 2,
    knob_of_this_test: 0.7
  })
  assert.partialDeepStrictEqual(defaults, { cfg: 2, top_k: null, top_p: null, knob_of_this_test: 0.7 })
})

test('a job that was queued before there was the knob has its neutral value, and its schedule none', () => {
  const schedule = { cfg: [0, 1], top_k: null, top_p: null, class_label: null }
  const queued = { ...QUEUED, schedule }
  assert.ok(Check(Queued, { ...queued, ...REST }))
  const completed = completeValues(extended, queued)
  assert.equal(completed.knob_of_this_test, 1)
  assert.partialDeepStrictEqual(completed.schedule, { ...schedule, knob_of_this_test: null })
  assert.equal(completed.prompt, null)
  assert.deepEqual(completed.previews, [])
})

test('a model whose card does not know of the knob has no default of it, and its pictures say nothing of it', () => {
  assert.equal(completeDefaults(extended, VAR, { cfg: 2, top_k: 10, top_p: 0.9 }).knob_of_this_test, null)
  const queued = { ...QUEUED, schedule: { cfg: [0, 1], top_k: null, top_p: null, class_label: [null, 2] } }
  const written = (table: typeof CAPABILITIES) =>
    JSON.stringify(settingsOf(table, VAR, { ...queued, ...completeValues(table, queued) }, 7))
  assert.equal(written(extended), written(CAPABILITIES))
  assert.equal(
    written(extended),
    '{"model":"emoji-32","model_revision":"r1","class_label":2,"class_name":"fox","seed":7,"cfg":3,"top_k":200,"top_p":0.95,"smooth":false,' +
      '"schedule":{"cfg":[0,1],"top_k":null,"top_p":null,"class_label":[null,2]}}'
  )
})

test('a model that has it has it written after what was there before', () => {
  const queued = { ...QUEUED, knob_of_this_test: 0.7 }
  const settings = settingsOf(extended, [...VAR, 'knob_of_this_test'], queued, 7)
  assert.deepEqual(Object.entries(settings).at(-1), ['knob_of_this_test', 0.7])
})
