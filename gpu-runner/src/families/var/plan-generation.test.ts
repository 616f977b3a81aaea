import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packTokens, type QueuedInput } from '@nextscale/openapi'
import { NotServed } from '../../errors.ts'
import { SHIPPED_MODEL } from '../../testing/folders.ts'
import { openModel } from './model/open-model.ts'
import { planGeneration } from './plan-generation.ts'
import { generationInput } from './testing/generation-input.ts'

const model = await openModel(SHIPPED_MODEL)
const plan = (changes: Partial<QueuedInput> = {}, form: 'step' | 'fused' = 'step') =>
  planGeneration(generationInput(changes), model, form)

test('a generation has the scales of its model and its pictures the size, a draft the scales it draws', () => {
  const { width, height, scaleTokens } = plan()
  assert.deepEqual([width, height], [32, 32])
  assert.deepEqual(scaleTokens, [1, 4, 9, 16, 25, 36, 64])
  assert.deepEqual(plan({ stop_at_scale: 2 }).scaleTokens, [1, 4, 9])
})

test('a picture carries what reproduces it alone, whatever else its generation asked for', () => {
  const cfg = [0, 1, 1, 1, 1, 1, 1.5]
  const settings = { class_label: 7, class_name: 'koala 🐨', cfg: 3, top_k: 200, top_p: 0.95, smooth: true, schedule: { cfg } }
  const one = plan({ ...settings, seed: 40, num_images: 3 })
  // The order is that of the text in the pictures, and so part of their bytes.
  assert.equal(
    JSON.stringify(one.settingsOf(2)),
    JSON.stringify({
      model: 'emoji-32',
      model_revision: 'r1',
      class_label: 7,
      class_name: 'koala 🐨',
      seed: 42,
      cfg: 3,
      top_k: 200,
      top_p: 0.95,
      smooth: true,
      schedule: { cfg, top_k: null, top_p: null, class_label: null }
    })
  )
  const other = plan({ ...settings, seed: 42, num_images: 1, priority: 'high', return_tokens: true })
  assert.deepEqual(other.settingsOf(0), one.settingsOf(2))
})

test('tokens are packed by the size of the vocabulary', () => {
  const tokens = Int32Array.of(0, 1023, 512)
  assert.deepEqual(plan().packTokens(tokens), packTokens(tokens, 1_024))
})

test('what the model has not is refused, what this runner cannot do is left to another', () => {
  assert.throws(() => plan({ class_label: 60 }), { code: 'invalid_job', message: 'emoji-32 has no class 60.' })
  assert.throws(() => plan({ prompt: 'a fox' }), { code: 'invalid_job', message: 'emoji-32 takes no prompt.' })
  assert.throws(() => plan({ size: '64x64' }, 'fused'), { code: 'invalid_job', message: 'emoji-32 takes no size.' })
  assert.throws(() => plan({ top_k: 1_025 }), { code: 'invalid_job', message: 'top_k 1025 exceeds the vocabulary of emoji-32.' })
  assert.throws(() => plan({ stop_at_scale: 7 }, 'fused'), { code: 'invalid_job', message: 'emoji-32 has no scale 7.' })
  assert.throws(() => plan({ stop_at_scale: 2 }, 'fused'), NotServed)
})
