import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Generation } from '@nextscale/openapi'
import sharp from 'sharp'
import { type Deployment, deploy } from './support/deployment.ts'
import { until } from './support/until.ts'

let service: Deployment
before(async () => {
  service = await deploy()
})
after(() => service.close())

for (const format of ['png', 'webp', 'jpeg']) {
  test(`who accepts image/${format} gets the picture itself`, async () => {
    const response = await service.client.send('post', '/generate', (sent) =>
      sent.set('accept', `image/${format}`).send({ class_name: 'fox' })
    )
    assert.deepEqual([response.status, response.headers['content-type']], [200, `image/${format}`])
    assert.equal((await sharp(response.body as Buffer).metadata()).format, format)
    assert.equal(response.headers['content-length'], String((response.body as Buffer).length))
  })
}

test('a client that goes away while it waits cancels nothing', async () => {
  const leaving = new AbortController()
  const sent = fetch(`${service.baseUrl}/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=30' },
    body: JSON.stringify({ label: 'left', num_images: 16 }),
    signal: leaving.signal
  }).catch(() => undefined)
  const id = await until('it is accepted', async () => {
    const { body } = await service.client.send('get', '/v1/generations?label=left')
    return (body as { data: Generation[] }).data[0]?.id
  })
  leaving.abort()
  await sent
  assert.equal((await service.client.finish(id)).status, 'succeeded')
})
