import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type OpenModel, openModel } from '../model/open-model.ts'
import { SHIPPED_MODEL } from '../../../testing/folders.ts'
import { createEngine } from './engine.ts'
import type { ImageRequest } from './image-request.ts'
import { sampleBatch } from './sample-batch.ts'

/** Sums of another order show in few pictures: with the decoder optimised less, in two of these. */
const IMAGES = 16

const requests = Array.from({ length: IMAGES }, (_, seed): ImageRequest => {
  const [cfg = 0, topK = 0] =
    [
      [3, 0],
      [0, 200],
      [1.5, 1],
      [7.5, 900]
    ][seed % 4] ?? []
  return { seed, label: (seed * 7) % 60, cfg, topK, topP: 0.95, smooth: false, schedule: null }
})

const engineOf = async (t: TestContext, model: OpenModel, threads: number) => {
  const engine = await createEngine(model, { threads, precision: 'int8', cache: null })
  t.after(() => engine.release())
  return engine
}

test('in 8 bits a picture is the same to the bit with one thread and with two, alone and in a batch', async (t) => {
  const model = await openModel(SHIPPED_MODEL)
  const { images: wanted } = await sampleBatch(await engineOf(t, model, 1), requests)
  const engine = await engineOf(t, model, 2)
  const { images: together } = await sampleBatch(engine, requests)
  for (const [seed, request] of requests.entries()) {
    const [alone] = (await sampleBatch(engine, [request])).images
    assert.deepEqual(alone?.pixels, wanted[seed]?.pixels, `seed ${seed}, alone`)
    assert.deepEqual(together[seed]?.pixels, wanted[seed]?.pixels, `seed ${seed}, in a batch`)
  }
})
