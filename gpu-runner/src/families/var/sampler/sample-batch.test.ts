import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { openModel } from '../model/open-model.ts'
import { SHIPPED_MODEL } from '../../../testing/folders.ts'
import { imageRequest as request } from '../testing/image-request.ts'
import { createEngine, type Engine } from './engine.ts'
import type { ImageRequest } from './image-request.ts'
import type { SampledPreview } from '../../open-sampler.ts'
import { sampleBatch } from './sample-batch.ts'
import { floats } from '../../../onnx/tensors.ts'

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

/** Tokens of a seed as every release draws them, of the first four scales, and the digest of all. No draw is nearer than 3e-4 to another. */
const DRAWN = {
  revision: 'f8220c2e1e3c',
  seed: 182,
  first: [
    526, 120, 981, 1015, 370, 649, 340, 512, 370, 810, 370, 310, 482, 976, 1020, 55, 219, 940, 843, 0, 1015, 949, 953, 302, 810,
    112, 400, 739, 843, 235
  ],
  sha256: 'e6d3cde562d8c3f9171bb4a11aeb50392e673711f5211dc65f965bc70a7dd4a7'
}

test('a seed of the shipped model draws what it drew before', async () => {
  assert.equal(engine.model.manifest.revision, DRAWN.revision, 'another model draws other tokens: write them down anew')
  const { images } = await sampleBatch(engine, [request({ seed: DRAWN.seed, label: 2, cfg: 1.5, topK: 200, topP: 0.95 })])
  const tokens = [...(images[0]?.tokens ?? [])]
  assert.deepEqual(tokens.slice(0, DRAWN.first.length), DRAWN.first)
  assert.equal(createHash('sha256').update(tokens.join()).digest('hex'), DRAWN.sha256)
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

const SCALES = [1, 2, 3, 4, 5, 6, 8]
const tokensUpTo = (scale: number) => SCALES.slice(0, scale + 1).reduce((sum, n) => sum + n * n, 0)

test('a draft is the same alone and among others, draws the tokens of the whole, and its mates do not notice', async () => {
  const stops = [0, 3, 5, undefined, 6, 2]
  const drafts = mixed.map((one, index) => ({ ...one, ...(stops[index] !== undefined && { stopAtScale: stops[index] }) }))
  const together = await sampleBatch(engine, drafts)
  const whole = await sampleBatch(engine, mixed)
  for (const [index, draft] of drafts.entries()) {
    const [made, full] = [together.images[index], whole.images[index]]
    assert.deepEqual(made, { ...(await sampleBatch(engine, [draft])).images[0], index })
    assert.deepEqual(made?.tokens, full?.tokens.subarray(0, tokensUpTo(stops[index] ?? 6)))
    if ((stops[index] ?? 6) === 6) assert.deepEqual(made?.pixels, full?.pixels)
    else assert.notDeepEqual(made?.pixels, full?.pixels)
  }
})

test('a draft is the running sum after its scale, decoded; later scales are not run for it', async () => {
  const sums: Float32Array[] = []
  await sampleBatch(engine, [request({})], {
    afterScale: async ({ fHat }) => {
      sums.push(Float32Array.from(fHat.get(0) ?? []))
      return new Set<number>()
    }
  })
  const { images, scaleMs } = await sampleBatch(engine, [request({ stopAtScale: 2 })])
  const { channels } = engine.model.shape.tokenizer
  const { side } = engine.model.shape
  const { pixels } = await engine.decoder.run({ f_hat: floats(sums[2] ?? new Float32Array(), [1, channels, side, side]) })
  assert.deepEqual(images[0]?.pixels, pixels?.data)
  assert.equal(scaleMs.length, 3)
})

test('a draft that is dropped while its mates go on is not decoded', async () => {
  const { images } = await sampleBatch(engine, [request({ stopAtScale: 1 }), request({ seed: 9 })], {
    afterScale: async ({ scale }) => new Set(scale === 3 ? [0] : [])
  })
  assert.deepEqual(
    images.map(({ index }) => index),
    [1]
  )
})

for (const smooth of [false, true]) {
  test(`a variation has the first scales of its parent, the rest of its own seed, ${smooth ? 'blended' : 'drawn'}`, async () => {
    const settings = { smooth, schedule: { topK: [1, 20, 20, 50, 200, 200, 200] } }
    const keep = { seed: 7, scales: 3 }
    const [parent, varied, same, all] = (
      await sampleBatch(
        engine,
        [{ seed: 7 }, { seed: 8, keep }, { seed: 7, keep }, { seed: 8, keep: { seed: 7, scales: 7 } }].map((one) =>
          request({ ...settings, ...one })
        )
      )
    ).images
    const kept = tokensUpTo(2)
    assert.deepEqual(varied?.tokens.subarray(0, kept), parent?.tokens.subarray(0, kept))
    assert.notDeepEqual(varied?.tokens.subarray(kept, tokensUpTo(3)), parent?.tokens.subarray(kept, tokensUpTo(3)))
    for (const one of [same, all]) assert.deepEqual([one?.tokens, one?.pixels], [parent?.tokens, parent?.pixels])
  })
}

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
