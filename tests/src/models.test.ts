import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Model } from '@nextscale/openapi'
import sharp from 'sharp'
import { type Deployment, deploy } from './support/deployment.ts'

const folder = (path: string) => fileURLToPath(new URL(`../../gpu-runner/${path}`, import.meta.url))

let service: Deployment
before(async () => {
  service = await deploy({ env: { MODELS: `${folder('models/emoji-32')},${folder('fixtures/var-d2-256')}` } })
})
after(() => service.close())

test('both models are listed with their sizes; the first is the default', async () => {
  const { body } = await service.client.send('get', '/v1/models')
  const { data } = body as { data: Model[] }
  assert.deepEqual(
    data.map(
      ({
        id,
        default: isDefault,
        family,
        width,
        height,
        sizes,
        scales,
        tokens_per_image: tokens,
        vocabulary_size: vocabulary,
        num_classes: classes
      }) => [id, isDefault, family, width, height, sizes.length, scales.length, tokens, vocabulary, classes]
    ),
    [
      ['emoji-32', true, 'var', 32, 32, 1, 7, 155, 1024, 60],
      ['var-d2-256', false, 'var', 256, 256, 1, 10, 680, 512, 10]
    ]
  )
  const one = await service.client.send('get', '/v1/models/var-d2-256')
  assert.deepEqual(one.body, data[1])
})

test('classes are found by a part of their name', async () => {
  const { body } = await service.client.send('get', '/v1/models/emoji-32/classes?q=BALL')
  const { data, total } = body as { data: { label: number; name: string }[]; total: number }
  assert.deepEqual(
    data.map(({ name }) => name),
    ['soccer ball', 'basketball', 'balloon']
  )
  assert.equal(total, 3)
  const page = await service.client.send('get', '/v1/models/emoji-32/classes?limit=2&offset=58')
  assert.deepEqual((page.body as { data: object[] }).data, [
    { label: 58, name: 'skull' },
    { label: 59, name: 'clown' }
  ])
})

test('requests for both models at once each get a picture of their own model', async () => {
  const { client } = service
  const wanted = Array.from({ length: 6 }, (_, index) => (index % 2 ? 'var-d2-256' : 'emoji-32'))
  const ids = await Promise.all(wanted.map(async (model, seed) => (await client.generate({ model, seed, class_label: 1 })).id))
  for (const [index, id] of ids.entries()) {
    const { status, model, outputs } = await client.finish(id)
    assert.deepEqual([status, model], ['succeeded', wanted[index]])
    const { width } = await sharp(await client.fetchPicture(outputs[0]?.url ?? '')).metadata()
    assert.equal(width, model === 'emoji-32' ? 32 : 256)
  }
})
