import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Generation } from '@nextscale/openapi'
import { type Client, createClient } from './support/client.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { freePort } from './support/free-port.ts'
import { until } from './support/until.ts'

let service: Deployment
let other: Client
before(async () => {
  service = await deploy()
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  await service.startApi({ PORT: String(port) })
  await until('the second API is ready', async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200)
  other = createClient(url)
})
after(() => service.close())

const send = (client: Client, key: string, body: object = {}) =>
  client.send('post', '/generate', (sent) => sent.set('idempotency-key', key).send(body))

test('a hundred equal posts at once to two processes make one generation', async () => {
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => send(index % 2 ? service.client : other, 'hundred', { class_name: 'fox' }))
  )
  const replays = answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')
  assert.equal(replays.length, 99)
  const generations = answers.map(({ body }) => body as Generation)
  assert.equal(new Set(generations.map(({ id, input }) => `${id} ${input.seed}`)).size, 1)
  const { body } = await service.client.send('get', '/v1/generations')
  assert.equal((body as { data: unknown[] }).data.length, 1)
})

test('of two different requests with one key at two processes at once, one is made', async () => {
  const answers = await Promise.all([send(service.client, 'race', { seed: 1 }), send(other, 'race', { seed: 2 })])
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [202, 422]
  )
})

test('a key is known after the API and Redis were started again', async () => {
  const { id } = (await send(other, 'restart')).body as Generation
  await service.client.finish(id)
  await service.api().end('SIGKILL')
  await service.redis.stop()
  await service.redis.start()
  await until('requests are accepted', async () => (await service.client.send('get', '/readyz')).status === 200)
  const replay = await send(service.client, 'restart')
  assert.deepEqual([replay.status, (replay.body as Generation).id], [200, id])
  assert.equal(replay.headers['idempotency-replayed'], 'true')
})
