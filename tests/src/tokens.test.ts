import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Generation, Model } from '@nextscale/openapi'
import sharp from 'sharp'
import { type Deployment, deploy } from './support/deployment.ts'
import { readTokens } from './support/read-tokens.ts'
import { readTensor } from './support/safetensors.ts'

const folder = (path: string) => fileURLToPath(new URL(`../../gpu-runner/${path}`, import.meta.url))
const GOLDEN = folder('fixtures/var-d2-256')

let service: Deployment
let shipped: Model
let golden: Model
before(async () => {
  service = await deploy({ env: { MODELS: `${folder('models/emoji-32')},${GOLDEN}` } })
  const page = async (id: string) => (await service.client.send('get', `/v1/models/${id}`)).body as Model
  ;[shipped, golden] = [await page('emoji-32'), await page('var-d2-256')]
})
after(() => service.close())

const run = async (body: object): Promise<Generation> => {
  const generation = await service.client.finish((await service.client.generate(body)).id)
  assert.equal(generation.status, 'succeeded', JSON.stringify(generation.error))
  return generation
}

const tokensOf = async (body: object): Promise<number[][]> => {
  const { outputs } = await run({ ...body, return_tokens: true })
  return Promise.all(outputs.map(({ tokens_url: url }) => readTokens(url, shipped)))
}

const pixelsOf = async ({ outputs }: Generation): Promise<Buffer> =>
  sharp(await service.client.fetchPicture(outputs[0]?.url ?? ''))
    .raw()
    .toBuffer()

test('drawn tokens lie beside each picture, and a seed draws the same again', async () => {
  const body = { class_name: 'fox', seed: 7 }
  const [first, second] = await tokensOf({ ...body, num_images: 2 })
  assert.ok(first && second)
  assert.deepEqual(await tokensOf(body), [first])
  assert.deepEqual(await tokensOf({ ...body, seed: 8 }), [second])
  assert.notDeepEqual(first, second)
  const { vocabulary_size: vocabulary } = shipped
  assert.ok(vocabulary !== null && [...first, ...second].every((token) => token < vocabulary))
})

test('without return_tokens there are none, and the picture is the same', async () => {
  const [withTokens, without] = [await run({ seed: 7, return_tokens: true }), await run({ seed: 7 })]
  assert.deepEqual([withTokens.input.return_tokens, without.input.return_tokens], [true, false])
  assert.equal(without.outputs[0]?.tokens_url, null)
  assert.equal(withTokens.outputs[0]?.sha256, without.outputs[0]?.sha256)
})

test('tokens are fetched only by their own link, and are gone once the generation is deleted', async () => {
  const { client } = service
  const { id, outputs } = await run({ return_tokens: true })
  const { pathname, search } = new URL(outputs[0]?.tokens_url ?? '')
  assert.equal((await client.send('get', `${pathname}${search}`)).status, 200)
  const ofPicture = new URL(outputs[0]?.url ?? '')
  assert.equal((await client.send('get', `${pathname}${ofPicture.search}`)).status, 403)
  assert.equal((await client.send('delete', `/v1/generations/${id}`)).status, 204)
  assert.equal((await client.send('get', `${pathname}${search}`)).status, 404)
})

test('greedy tokens and pictures are those of the reference implementation', async () => {
  const expectedTokens = await readTensor(`${GOLDEN}/expected.safetensors`, 'tokens', 'I32')
  const expectedImages = await readTensor(`${GOLDEN}/expected.safetensors`, 'image', 'F32')
  const count = golden.tokens_per_image
  const area = golden.width * golden.height
  for (const [image, label] of [1, 4].entries()) {
    const generation = await run({ model: golden.id, class_label: label, cfg: 3, top_k: 1, return_tokens: true })
    const tokens = await readTokens(generation.outputs[0]?.tokens_url, golden)
    assert.deepEqual(tokens, [...expectedTokens.subarray(image * count, (image + 1) * count)])
    const pixels = await pixelsOf(generation)
    assert.equal(pixels.length, 3 * area)
    pixels.forEach((value, i) => {
      const plane = image * 3 + (i % 3)
      const reference = Math.trunc((expectedImages[plane * area + Math.floor(i / 3)] ?? Number.NaN) * 255)
      assert.ok(Math.abs(value - reference) <= 1, `label ${label}, byte ${i}: ${value}, not ${reference}`)
    })
  }
})
