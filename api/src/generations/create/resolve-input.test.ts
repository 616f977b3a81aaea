import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CAPABILITIES, type GenerateRequest, GenerationInput, type ModelCard, toModelCard, UINT32_MAX } from '@nextscale/openapi'
import { ProblemError } from '../../http/problem.ts'
import type { WithoutNulls } from '../../http/without-nulls.ts'
import { ableCard, earlierCard, modelCard, promptCard } from '../../testing/model-card.ts'
import { resolveInput } from './resolve-input.ts'

const cards: [ModelCard, ...ModelCard[]] = [
  modelCard(),
  toModelCard(earlierCard(['deadline_seconds', 'start_deadline_seconds', 'retention_seconds'], { id: 'older' })),
  ableCard({ id: 'var-d16' }),
  promptCard()
]

/** What asks for nothing, of all that models may honour. */
const NEUTRAL = Object.fromEntries(Object.entries(CAPABILITIES).map(([name, { neutral }]) => [name, neutral]))

const problemOf = (request: WithoutNulls<GenerateRequest>): ProblemError => {
  try {
    resolveInput(request, cards)
  } catch (error) {
    if (error instanceof ProblemError) return error
  }
  return assert.fail('It was not refused')
}

test('an empty request gets every default from the first card, and a drawn seed', () => {
  assert.deepEqual(
    resolveInput({}, cards, () => 7),
    {
      ...NEUTRAL,
      model: 'emoji-32',
      model_revision: 'r1',
      class_label: null,
      class_name: null,
      prompt: null,
      negative_prompt: null,
      size: null,
      num_images: 1,
      seed: 7,
      cfg: 2,
      top_k: 10,
      top_p: 0.9,
      output: { format: 'png', quality: null, metadata: true },
      priority: 'normal',
      smooth: false,
      schedule: null,
      return_tokens: false,
      stop_at_scale: null,
      previews: [],
      keep: null,
      deadline_seconds: 600,
      start_deadline_seconds: null,
      retention_seconds: 86_400
    }
  )
})

test('drawn seeds are uint32 and differ', () => {
  const seeds = Array.from({ length: 50 }, () => resolveInput({}, cards).seed)
  assert.ok(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed <= UINT32_MAX))
  assert.ok(new Set(seeds).size > 45)
})

test('zero is a setting, not an absent one', () => {
  const input = resolveInput({ cfg: 0, top_k: 0, seed: 0 }, cards)
  assert.deepEqual([input.cfg, input.top_k, input.seed], [0, 0, 0])
})

test('webp and jpeg get a quality; png has none and refuses one', () => {
  assert.deepEqual(resolveInput({ output: { format: 'webp' } }, cards).output, { format: 'webp', quality: 90, metadata: true })
  assert.equal(resolveInput({ output: { format: 'jpeg', quality: 5 } }, cards).output.quality, 5)
  const problem = problemOf({ output: { quality: 90 } })
  assert.equal(problem.code, 'invalid_request')
  assert.deepEqual(
    problem.errors.map(({ pointer }) => pointer),
    ['/output/quality']
  )
})

test('an unknown model is refused with those that are served', () => {
  const problem = problemOf({ model: 'emoji-23' })
  assert.equal(problem.code, 'unknown_model')
  assert.match(problem.message, /Did you mean emoji-32\?.*emoji-32, older, var-d16, painter/)
})

test('top_k may be the vocabulary and not more', () => {
  assert.equal(resolveInput({ top_k: 64 }, cards).top_k, 64)
  assert.equal(problemOf({ top_k: 65 }).code, 'out_of_range_for_model')
})

test('fields a model does not support are refused one by one, unless they ask for nothing', () => {
  const problem = problemOf({ smooth: true, stop_at_scale: 1, return_tokens: true })
  assert.equal(problem.code, 'unsupported_for_model')
  assert.deepEqual(problem.errors.map(({ pointer }) => pointer).toSorted(), ['/return_tokens', '/smooth', '/stop_at_scale'])
  resolveInput({ smooth: false, previews: 'none', return_tokens: false }, cards)
  resolveInput({ previews: [] }, cards)
})

test('smooth, schedule and return_tokens are carried where the model honours them', () => {
  const schedule = { cfg: [0, 1, 2], top_k: null, top_p: null, class_label: null }
  const input = resolveInput({ model: 'var-d16', smooth: true, schedule: { cfg: [0, 1, 2] }, return_tokens: true }, cards)
  assert.deepEqual([input.smooth, input.return_tokens], [true, true])
  assert.partialDeepStrictEqual(input.schedule, schedule)
})

test('whatever a model may support has a place in the job, so that none is dropped in silence', () => {
  for (const field of Object.keys(CAPABILITIES)) assert.ok(field in GenerationInput.properties, field)
})

test('a webhook asks nothing of the model', () => {
  resolveInput({ webhook: { url: 'https://example.org' } }, cards)
})

test('deadlines and retention are taken by every model, unless its runner is of the release that ignored them', () => {
  const limits = { deadline_seconds: 5, start_deadline_seconds: 3, retention_seconds: 60 }
  assert.partialDeepStrictEqual(resolveInput(limits, cards), limits)
  const problem = problemOf({ model: 'older', ...limits })
  assert.equal(problem.code, 'unsupported_for_model')
  assert.equal(problem.errors.length, 3)
  assert.equal(resolveInput({ model: 'older' }, cards).deadline_seconds, 600)
})

test('a draft stops before the last scale; the last is no draft, and there is none after it', () => {
  const stopOf = (stop_at_scale: number) => resolveInput({ model: 'var-d16', stop_at_scale }, cards).stop_at_scale
  assert.deepEqual([0, 1, 2].map(stopOf), [0, 1, null])
  const problem = problemOf({ model: 'var-d16', stop_at_scale: 3 })
  assert.equal(problem.code, 'out_of_range_for_model')
  assert.deepEqual(
    problem.errors.map(({ pointer }) => pointer),
    ['/stop_at_scale']
  )
  assert.match(problem.message, /0 to 2, not 3/)
})

const detailsOf = (request: WithoutNulls<GenerateRequest>) => {
  const { code, errors } = problemOf(request)
  assert.equal(code, 'unsupported_for_model')
  return errors.map(({ pointer, detail }) => `${pointer}: ${detail}`)
}

test('a model that is asked by prompts takes what its card says, with the defaults of the card and else the neutral values', () => {
  const asked = { model: 'painter', prompt: 'a red fox 🦊', negative_prompt: 'text', size: '16x24' }
  assert.partialDeepStrictEqual(resolveInput(asked, cards), {
    ...asked,
    class_label: null,
    class_name: null,
    cfg: 4,
    top_k: 0,
    top_p: 1,
    smooth: false
  })
  const byDefault = resolveInput({ model: 'painter' }, cards)
  assert.deepEqual([byDefault.prompt, byDefault.negative_prompt, byDefault.size], [null, null, '24x16'])
})

test('what is asked of a model of the other kind is refused with what that one takes', () => {
  assert.deepEqual(detailsOf({ prompt: 'a red fox' }), [
    '/prompt: emoji-32 takes no prompt; it takes class_label, class_name, cfg, top_k, top_p. Leave prompt out, or send null.'
  ])
  const takes = 'it takes prompt, negative_prompt, size, cfg, schedule, previews.'
  assert.deepEqual(detailsOf({ model: 'painter', class_name: 'fox' }), [
    `/class_name: painter takes no class_name; ${takes} Leave class_name out, or send null.`
  ])
  assert.deepEqual(detailsOf({ model: 'painter', prompt: 'a fox', class_label: 0, top_k: 5 }), [
    `/class_label: painter takes no class_label; ${takes} Leave class_label out, or send null.`,
    `/top_k: painter takes no top_k; ${takes} Leave top_k out, or send 0.`
  ])
  assert.equal(
    problemOf({ prompt: 'a fox', negative_prompt: 'text' }).message,
    'emoji-32 takes no prompt, no negative_prompt; it takes class_label, class_name, cfg, top_k, top_p. Leave them out.'
  )
  assert.deepEqual(detailsOf({ model: 'painter', schedule: { cfg: [1, 1, 1], class_label: [0, 0, 0] } }), [
    `/schedule/class_label: painter takes no class_label; ${takes} Leave class_label out.`
  ])
  resolveInput({ model: 'painter', top_k: 0, top_p: 1, smooth: false }, cards)
})

test('a prompt says something, or is left out', () => {
  for (const field of ['prompt', 'negative_prompt'] as const) {
    for (const text of [' ', '\n\t', '\u3000\u00a0']) {
      const { code, errors } = problemOf({ model: 'painter', [field]: text })
      assert.equal(code, 'text_refused')
      assert.deepEqual(errors, [{ pointer: `/${field}`, detail: `${field} is blank. Say something, or leave it out.` }])
    }
    assert.equal(resolveInput({ model: 'painter', [field]: ' a fox ' }, cards)[field], ' a fox ')
  }
})

test('every model takes its own size, and another is refused with those it has', () => {
  assert.equal(resolveInput({ size: '32x32' }, cards).size, null)
  assert.deepEqual(detailsOf({ size: '64x64' }), [
    '/size: emoji-32 draws pictures of 32x32 alone; it takes class_label, class_name, cfg, top_k, top_p. Leave size out, or send "32x32".'
  ])
  assert.equal(
    problemOf({ size: '64x64', prompt: 'a fox' }).message,
    'emoji-32 takes no prompt and draws pictures of 32x32 alone; it takes class_label, class_name, cfg, top_k, top_p. Leave them out.'
  )
  assert.equal(resolveInput({ model: 'painter', size: '24x16' }, cards).size, '24x16')
  const { code, message } = problemOf({ model: 'painter', size: '32x32' })
  assert.deepEqual(
    [code, message],
    ['out_of_range_for_model', 'painter draws pictures of 24x16, 16x24: size may be one of these, not 32x32.']
  )
})
