import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GenerationInput } from '@nextscale/openapi'
import sharp from 'sharp'
import { encodePicture } from './encode.ts'
import type { Picture } from './picture.ts'

const [WIDTH, HEIGHT] = [32, 24]
const pixels = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => (i * 7) % 256)
const picture: Picture = { pixels, width: WIDTH, height: HEIGHT }
const SETTINGS = { model: 'emoji-32', about: 'koala 🐨', seed: 42, schedule: { cfg: [0, 1.5], other: null } }
const output = (changes: Partial<GenerationInput['output']> = {}): GenerationInput['output'] => ({
  format: 'png',
  quality: null,
  metadata: true,
  ...changes
})

for (const format of ['png', 'webp', 'jpeg'] as const) {
  test(`${format} has the picture's size and carries the settings that reproduce it`, async () => {
    const { bytes, contentType } = await encodePicture(picture, SETTINGS, output({ format }))
    const { width, height, exif, format: written } = await sharp(bytes).metadata()
    assert.deepEqual([width, height, written, contentType], [WIDTH, HEIGHT, format, `image/${format}`])
    const text = exif?.toString('latin1') ?? ''
    const settings: unknown = JSON.parse(/\{.*\}/.exec(text)?.[0] ?? 'null')
    assert.deepEqual(settings, SETTINGS)
  })

  test(`${format} without metadata has none`, async () => {
    const { bytes } = await encodePicture(picture, SETTINGS, output({ format, metadata: false }))
    assert.equal((await sharp(bytes).metadata()).exif, undefined)
  })
}

test('png is lossless, and the same picture gives the same bytes', async () => {
  const { bytes } = await encodePicture(picture, SETTINGS, output())
  assert.deepEqual((await encodePicture(picture, { ...SETTINGS }, output())).bytes, bytes)
  const decoded = await sharp(bytes).raw().toBuffer()
  assert.deepEqual(new Uint8Array(decoded), pixels)
})

test('quality acts', async () => {
  const small = await encodePicture(picture, SETTINGS, output({ format: 'jpeg', quality: 5, metadata: false }))
  const large = await encodePicture(picture, SETTINGS, output({ format: 'jpeg', quality: 95, metadata: false }))
  assert.ok(small.bytes.length < large.bytes.length)
})
