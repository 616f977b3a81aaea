import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openModel } from '../model/open-model.ts'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { imageRequest as request } from '../testing/image-request.ts'
import { createEngine, type Engine } from './engine.ts'
import type { ImageRequest } from './image-request.ts'
import { sampleBatch, type SampledPreview } from './sample-batch.ts'

let engine: Engine
before(async () => {
  engine = await createEngine(await openModel(SHIPPED_MODEL), { threads: 2, precision: 'fp32', cache: null })
})
after(() => engine.release())

/** Guided and unguided, with and without a class, greedy and free: as mixed as a batch can be. */
const mixed = [
  request({ seed: 10 }),
  request({ seed: 11, cfg: 0 }),
  request({ seed: 12, label: null }),
  request({ seed: 13, topK: 0, topP: 1 }),
  request({ seed: 14, topK: 1, cfg: 7.5 }),
  request({ seed: 4_294_967_295, label: 59, topP: 0.2 })
]

const alone = async (one: ImageRequest) => (await sampleBatch(engine, [one])).images[0]?.pixels

test('an image is the same to the bit whatever batch it is sampled in, and wherever in it', async () => {
  const together = await sampleBatch(engine, mixed)
  const reversed = await sampleBatch(engine, mixed.toReversed())
  for (const [index, one] of mixed.entries()) {
    const pixels = await alone(one)
    assert.deepEqual(together.images[index]?.pixels, pixels)
    assert.deepEqual(reversed.images[mixed.length - 1 - index]?.pixels, pixels)
  }
})

test('seed, class and each knob change the image', async () => {
  const variants = [{}, { seed: 2 }, { label: 3 }, { label: null }, { cfg: 6 }, { topK: 5 }, { topP: 0.3 }].map(request)
  const { images } = await sampleBatch(engine, variants)
  assert.equal(new Set(images.map(({ pixels }) => Buffer.from(pixels).toString('base64'))).size, variants.length)
})

test('an unconditional image needs no guidance: cfg changes nothing', async () => {
  assert.deepEqual(await alone(request({ label: null, cfg: 5 })), await alone(request({ label: null, cfg: 0 })))
})

test('images dropped on the way are not decoded, and the others do not notice', async () => {
  const full = await sampleBatch(engine, mixed)
  const drops = new Map([
    [0, new Set([1])],
    [3, new Set([0, 4])]
  ])
  const dropped = new Set<number>()
  const rest = await sampleBatch(engine, mixed, {
    afterScale: async ({ scale, tokens }) => {
      assert.deepEqual(
        [...tokens.keys()],
        [...mixed.keys()].filter((index) => !dropped.has(index))
      )
      for (const index of drops.get(scale) ?? []) dropped.add(index)
      return dropped
    }
  })
  assert.deepEqual(
    rest.images.map(({ index }) => index),
    [2, 3, 5]
  )
  for (const { index, pixels } of rest.images) assert.deepEqual(pixels, full.images[index]?.pixels)
})

test('a batch that everybody left ends at once', async () => {
  let scales = 0
  const { images } = await sampleBatch(engine, mixed.slice(0, 2), {
    afterScale: async () => {
      scales++
      return new Set([0, 1])
    }
  })
  assert.deepEqual([images.length, scales], [0, 1])
})

test('previews are decoded after the scales that are asked for, and change no picture of the batch to the bit', async () => {
  const asking = mixed.map((one, index) => ({ ...one, previews: index === 1 ? [0, 3, 5] : index === 4 ? [3, 6] : [] }))
  const plain = await sampleBatch(engine, mixed)
  const seen: SampledPreview[] = []
  const { images } = await sampleBatch(engine, asking, { onPreview: (preview) => void seen.push(preview) })
  assert.deepEqual(images, plain.images)
  // The last scale, 6, makes the picture itself.
  assert.deepEqual(
    seen.map(({ index, scale }) => [index, scale]),
    [
      [1, 0],
      [1, 3],
      [4, 3],
      [1, 5]
    ]
  )
  const error = ({ index, pixels }: SampledPreview) =>
    pixels.reduce((sum, value, at) => sum + Math.abs(value - (images[index]?.pixels[at] ?? 0)), 0)
  const [first = 0, second = 0, third = 0] = seen.filter(({ index }) => index === 1).map(error)
  assert.ok(first > second && second > third && third > 0, `${first}, ${second}, ${third}`)
})

test('an image that left the batch gets no preview of the scale it left after', async () => {
  const seen: number[] = []
  const asking = mixed.slice(0, 2).map((one) => ({ ...one, previews: [1] }))
  await sampleBatch(engine, asking, {
    afterScale: async ({ scale }) => (scale === 1 ? new Set([0]) : new Set()),
    onPreview: ({ index }) => void seen.push(index)
  })
  assert.deepEqual(seen, [1])
})
