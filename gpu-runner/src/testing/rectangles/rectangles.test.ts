import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import { openServedModel } from '../../families/open-served-model.ts'
import type { ServedModel } from '../../families/family.ts'
import { loadFamilies } from '../../families/load-families.ts'
import { generationInput } from '../../families/var/testing/generation-input.ts'
import { Sampler } from '../../sampler/sampler.ts'
import { FAMILIES } from './families.ts'

const MODULE = new URL('./families.ts', import.meta.url).href
const FOLDER = new URL('./model', import.meta.url).pathname
const form = { form: 'step', threads: 1, precision: null, cache: null } as const
const WORDS = { model: 'rectangles', class_label: null, class_name: null, prompt: 'a red fox', cfg: 3, top_k: 0, top_p: 1 }

let model: ServedModel
let sampler: Sampler
before(async () => {
  model = await openServedModel(FOLDER, await loadFamilies(MODULE))
  sampler = await Sampler.start([model], { form, families: MODULE, timeoutMs: 60_000, log: pino({ level: 'silent' }) })
})
after(() => sampler.close())

const planFor = (changes: object) => model.plan(generationInput({ ...WORDS, ...changes }), 'step')
const sample = (requests: object[]) => sampler.sample({ model, images: requests, onScale: () => undefined }).result

test('the table of a start that has a family of its own has the shipped ones, too', () => {
  assert.deepEqual(Object.keys(FAMILIES), ['var', 'rectangles'])
})

test('an image is the same alone and among others, of another size and a draft', async () => {
  const [wide, tall, draft] = [{ size: '24x16' }, { size: '16x24', prompt: 'a blue fox' }, { stop_at_scale: 0 }].map(planFor)
  assert.ok(wide && tall && draft)
  const { images } = await sample([wide.requestOf(0), tall.requestOf(0), draft.requestOf(1)])
  assert.deepEqual(
    images.map(({ index, width, height, tokens }) => [index, width, height, tokens.length]),
    [
      [0, 24, 16, 126],
      [1, 16, 24, 126],
      [2, 24, 16, 6]
    ]
  )
  for (const [index, request] of [wide.requestOf(0), tall.requestOf(0), draft.requestOf(1)].entries()) {
    const [alone] = (await sample([request])).images
    assert.deepEqual([alone?.tokens, alone?.pixels], [images[index]?.tokens, images[index]?.pixels])
  }
})

test('what the model does not take is no job of it', () => {
  for (const [changes, message] of [
    [{ class_label: 2 }, 'rectangles takes no class_label.'],
    [{ top_k: 9 }, 'rectangles takes no top_k.'],
    [{ size: '32x32' }, 'rectangles draws no pictures of 32x32.'],
    [{ stop_at_scale: 3 }, 'rectangles has no scale 3.']
  ] as const)
    assert.throws(() => planFor(changes), { code: 'invalid_job', message })
})
