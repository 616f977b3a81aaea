import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GenerationInput } from '@nextscale/openapi'
import sharp from 'sharp'
import { encodePicture } from './encode.ts'

const SIDE = 32
const pixels = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => (i * 7) % 256)
const input = (output: Partial<GenerationInput['output']> = {}): GenerationInput => ({
  model: 'emoji-32',
  model_revision: 'r1',
  class_label: 7,
  class_name: 'koala 🐨',
  num_images: 3,
  seed: 40,
  cfg: 3,
  top_k: 200,
  top_p: 0.95,
  output: { format: 'png', quality: null, metadata: true, ...output },
  priority: 'normal',
  smooth: true,
  schedule: { cfg: [0, 1.5], top_k: null, top_p: null, class_label: [7, null] },
  return_tokens: false,
  stop_at_scale: null,
  previews: [],
  keep: null,
  deadline_seconds: 600,
  start_deadline_seconds: null,
  retention_seconds: 86_400
})

for (const format of ['png', 'webp', 'jpeg'] as const) {
  test(`${format} has the asked size and carries the settings that reproduce it`, async () => {
    const { bytes, contentType } = await encodePicture(pixels, SIDE, 42, input({ format }))
    const { width, height, exif, format: written } = await sharp(bytes).metadata()
    assert.deepEqual([width, height, written, contentType], [SIDE, SIDE, format, `image/${format}`])
    const text = exif?.toString('latin1') ?? ''
    const settings: unknown = JSON.parse(/\{.*\}/.exec(text)?.[0] ?? 'null')
    assert.deepEqual(settings, {
      model: 'emoji-32',
      model_revision: 'r1',
      class_label: 7,
      class_name: 'koala 🐨',
      seed: 42,
      cfg: 3,
      top_k: 200,
      top_p: 0.95,
      smooth: true,
      schedule: { cfg: [0, 1.5], top_k: null, top_p: null, class_label: [7, null] }
    })
  })

  test(`${format} without metadata has none`, async () => {
    const { bytes } = await encodePicture(pixels, SIDE, 42, input({ format, metadata: false }))
    assert.equal((await sharp(bytes).metadata()).exif, undefined)
  })
}

test('png is lossless, and the same picture gives the same bytes whatever else its generation asked for', async () => {
  const one = await encodePicture(pixels, SIDE, 42, input())
  const other = await encodePicture(pixels, SIDE, 42, {
    ...input(),
    num_images: 1,
    seed: 42,
    priority: 'high',
    return_tokens: true
  })
  assert.deepEqual(one.bytes, other.bytes)
  const decoded = await sharp(one.bytes).raw().toBuffer()
  assert.deepEqual(new Uint8Array(decoded), pixels)
})

test('quality acts', async () => {
  const small = await encodePicture(pixels, SIDE, 1, input({ format: 'jpeg', quality: 5, metadata: false }))
  const large = await encodePicture(pixels, SIDE, 1, input({ format: 'jpeg', quality: 95, metadata: false }))
  assert.ok(small.bytes.length < large.bytes.length)
})
