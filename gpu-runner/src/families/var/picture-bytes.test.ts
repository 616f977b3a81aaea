import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import sharp from 'sharp'
import { encodePicture } from '../../image/encode.ts'
import { SHIPPED_MODEL, SHIPPED_PICTURE } from '../../testing/folders.ts'
import { openModel } from './model/open-model.ts'
import { planGeneration } from './plan-generation.ts'
import { createEngine } from './sampler/engine.ts'
import { sampleBatch } from './sampler/sample-batch.ts'
import { generationInput } from './testing/generation-input.ts'
import { toImageRequest } from './to-image-request.ts'

/** `{"class_name": "fox", "seed": 7}` as it has been made since the model was shipped. */
const SHA256 = '78df2cace5390283676018b758c6b91d3164a0745a7aed2f05f8dab2adc00b30'
const file = await readFile(SHIPPED_PICTURE)
const model = await openModel(SHIPPED_MODEL)
const input = generationInput({
  model_revision: model.manifest.revision,
  class_label: 2,
  class_name: 'fox',
  num_images: 1,
  seed: 7,
  ...model.manifest.defaults
})

test('a picture of the shipped model is the one that it was, byte for byte with its settings', async () => {
  assert.equal(createHash('sha256').update(file).digest('hex'), SHA256)
  // Its own pixels are encoded: another kind of CPU may round some of those drawn here differently.
  const pixels = new Uint8Array(await sharp(file).raw().toBuffer())
  const plan = planGeneration(input, model, 'step')
  const { bytes } = await encodePicture({ pixels, width: plan.width, height: plan.height }, plan.settingsOf(0), input.output)
  assert.ok(file.equals(bytes))
})

test('the same request draws it, within what kinds of CPUs round differently', async () => {
  const engine = await createEngine(model, { threads: 1, precision: 'fp32', cache: null })
  const { images } = await sampleBatch(engine, [toImageRequest(input, 0)])
  await engine.release()
  const pixels = await sharp(file).raw().toBuffer()
  images[0]?.pixels.forEach((value, place) => assert.ok(Math.abs(value - (pixels[place] ?? Number.NaN)) <= 1, `byte ${place}`))
})
