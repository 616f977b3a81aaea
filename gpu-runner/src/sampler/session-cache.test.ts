import assert from 'node:assert/strict'
import { readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import { type Precision, PRECISIONS } from './sampler-form.ts'
import { openModel } from '../families/var/model/open-model.ts'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { createEngine } from '../families/var/sampler/engine.ts'
import type { ImageRequest } from '../families/var/sampler/image-request.ts'
import { sampleBatch } from '../families/var/sampler/sample-batch.ts'

const REQUESTS = [3, 17].map((label): ImageRequest => ({
  seed: label,
  label,
  cfg: 3,
  topK: 200,
  topP: 0.95,
  smooth: false,
  schedule: null
}))

const sample = async (t: TestContext, precision: Precision, cache: string | null, requests = REQUESTS) => {
  const engine = await createEngine(await openModel(SHIPPED_MODEL), { threads: 2, precision, cache })
  t.after(() => engine.release())
  return (await sampleBatch(engine, requests)).images.map(({ pixels, tokens }) => ({ pixels, tokens }))
}

const graphFolders = async (cache: string) => (await readdir(cache)).filter((name) => !name.endsWith('.json')).sort()

for (const precision of PRECISIONS) {
  test(`${precision} from the cache is what it is without, when it is made and when it is read`, async (t) => {
    const cache = join(await temporaryFolder(t), 'made', 'when', 'missing')
    const without = await sample(t, precision, null)
    assert.deepEqual(await sample(t, precision, cache), without)
    const made = await graphFolders(cache)
    assert.deepEqual(
      made.map((name) => name.split('-')[2]),
      ['decoder', 'step']
    )
    const times = async () => Promise.all(made.map(async (name) => (await stat(join(cache, name, 'weights.bin'))).mtimeMs))
    const before = await times()
    assert.deepEqual(await sample(t, precision, cache), without)
    assert.deepEqual([await graphFolders(cache), await times()], [made, before])
  })
}

test('a cache that lost files, or parts of them, is made anew', async (t) => {
  const cache = await temporaryFolder(t)
  const whole = await sample(t, 'fp32', cache)
  const [first = '', second = ''] = await graphFolders(cache)
  await rm(join(cache, first, 'weights.bin'))
  await truncate(join(cache, second, 'graph.onnx'), 100)
  assert.deepEqual(await sample(t, 'fp32', cache), whole)
})

test('two engines that start at once on an empty cache both work', async (t) => {
  const cache = await temporaryFolder(t)
  const [one, other] = await Promise.all([sample(t, 'fp32', cache), sample(t, 'fp32', cache)])
  assert.deepEqual(one, other)
})

test('in int8 an image is the same to the bit alone and among others', async (t) => {
  const together = await sample(t, 'int8', null)
  for (const [index, request] of REQUESTS.entries()) {
    assert.deepEqual(await sample(t, 'int8', null, [request]), together.slice(index, index + 1))
  }
})
