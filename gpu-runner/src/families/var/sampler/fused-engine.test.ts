import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { readSafetensors, readTensorBytes } from '../../../checkpoint/read-safetensors.ts'
import { openModel } from '../model/open-model.ts'
import { GOLDEN_MODEL, SHIPPED_MODEL } from '../../../testing/folders.ts'
import { imageRequest as request } from '../testing/image-request.ts'
import { writeRandomModel } from '../testing/reference/random-weights.ts'
import { createEngine } from './engine.ts'
import { createFusedEngine, sampleFused } from './fused-engine.ts'
import { sampleBatch } from './sample-batch.ts'

/** As mixed as a batch can be; seven scales and a vocabulary of 1,024, those of the shipped model. */
const mixed = [
  request({ seed: 10, keep: { seed: 3, scales: 4 } }),
  request({ seed: 11, cfg: 0 }),
  request({ seed: 12, label: null }),
  request({ seed: 13, topK: 0, topP: 1 }),
  request({ seed: 14, topK: 5, smooth: true }),
  request({ seed: 15, schedule: { label: [1, null, 2, 2, 3, null, 4], cfg: [0, 1, 2, 3, 2, 1, 4], topK: [1, 2, 3, 4, 5, 6, 7] } })
]

const largestDifference = (actual: Uint8Array, expected: Uint8Array | undefined) =>
  Math.max(...actual.map((value, i) => Math.abs(value - (expected?.[i] ?? Number.NaN))))

const goldenTokens = async () => {
  const tensor = (await readSafetensors(join(GOLDEN_MODEL, 'expected.safetensors'))).get('tokens')
  assert.ok(tensor)
  return new Int32Array(Uint8Array.from(await readTensorBytes(tensor)).buffer)
}

test('all scales in one run give the golden tokens', async (t) => {
  const model = await openModel(GOLDEN_MODEL)
  const fused = await createFusedEngine(model, { provider: 'cpu', float: 'float', ladder: [2] })
  t.after(() => fused.release())
  const { images } = await sampleFused(
    fused,
    [1, 4].map((label) => request({ label, topK: 1, topP: 1 }))
  )
  assert.deepEqual(Int32Array.from(images.flatMap(({ tokens }) => [...tokens])), await goldenTokens())
})

for (const sharedAdaln of [false, true]) {
  test(`fused and step agree on a mixed batch that is filled up, ${sharedAdaln ? 'shared' : 'separate'} AdaLN`, async (t) => {
    const folder = sharedAdaln ? await temporaryFolder(t) : SHIPPED_MODEL
    if (sharedAdaln) {
      const sizes = { depth: 2, width: 64, heads: 4, classes: 6, scales: [1, 2, 3, 4, 5, 6, 8], vocabulary: 256, channels: 8 }
      await writeRandomModel(
        folder,
        { ...sizes, phis: 4, ch: 32, chMult: [1, 2], phiShare: 0.5, sharedAdaln, resBlocks: 1 },
        { seed: 3, dtype: 'F32' }
      )
    }
    const model = await openModel(folder)
    const fused = await createFusedEngine(model, { provider: 'cpu', float: 'float', ladder: [1, 8] })
    t.after(() => fused.release())
    const step = await createEngine(model, { threads: 2, precision: 'fp32', cache: null })
    t.after(() => step.release())
    const [together, apart] = [await sampleFused(fused, mixed), await sampleBatch(step, mixed)]
    assert.equal(together.images.length, mixed.length)
    for (const [index, { pixels, tokens }] of together.images.entries()) {
      assert.deepEqual(tokens, apart.images[index]?.tokens, `image ${index}`)
      assert.ok(largestDifference(pixels, apart.images[index]?.pixels) <= 1, `image ${index}`)
    }
  })
}

test('in half precision most greedy tokens are those of full precision', async (t) => {
  const model = await openModel(SHIPPED_MODEL)
  const requests = [3, 17, 40, 59].map((label) => request({ label, topK: 1, topP: 1 }))
  const run = async (float: 'float' | 'float16') => {
    const engine = await createFusedEngine(model, { provider: 'cpu', float, ladder: [4] })
    t.after(() => engine.release())
    return (await sampleFused(engine, requests)).images
  }
  const [full, half] = [await run('float'), await run('float16')]
  const same = half.flatMap(({ tokens }, image) => [...tokens].filter((token, i) => token === full[image]?.tokens[i]))
  // One token that falls the other way changes those of all later scales: 88 % agree here.
  assert.ok(same.length > 0.8 * 4 * model.shape.tokens, `${same.length} of ${4 * model.shape.tokens} tokens agree`)
})

test('a batch above the ladder is refused', async (t) => {
  const fused = await createFusedEngine(await openModel(SHIPPED_MODEL), { provider: 'cpu', float: 'float', ladder: [1] })
  t.after(() => fused.release())
  await assert.rejects(sampleFused(fused, mixed), /a batch has 1 to 1 images, not 6/)
})
