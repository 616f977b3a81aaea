import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ServiceStatus } from '@nextscale/openapi'
import { Redis } from 'ioredis'
import { type Deployment, deploy } from './support/deployment.ts'
import { until } from './support/until.ts'

let service: Deployment
before(async () => {
  service = await deploy()
})
after(() => service.close())

const status = async (): Promise<ServiceStatus> => {
  const response = await service.client.send('get', '/v1/status')
  assert.equal(response.status, 200)
  return response.body as ServiceStatus
}

test('a runner is counted while it lives, tells its speed, and is gone as soon as it stops', async () => {
  await until('the runner is counted', async () => (await status()).runners === 1)
  const { client } = service
  await client.finish((await client.generate({})).id)
  const [model] = await until('the speed is told', async () => {
    const { models } = await status()
    return models[0]?.latency_ms && models[0].images_per_second ? models : undefined
  })
  assert.deepEqual([model?.id, model?.runners], ['emoji-32', 1])
  await service.runner().end()
  await until('the runner is gone', async () => (await status()).runners === 0)
  assert.equal((await status()).models[0]?.latency_ms, null)
})

test('what a killed runner left is taken out by one that lives', async () => {
  const redis = new Redis(service.redis.url)
  try {
    const card = { id: 'dead', version: '0', started_at: '2026-01-01T00:00:00.000Z', max_batch: 1, models: [] }
    await redis.hset('{nextscale}:runners', 'dead', JSON.stringify({ ...card, announced_at: card.started_at }))
    await service.startRunner()
    await until('it is gone', async () => (await redis.hexists('{nextscale}:runners', 'dead')) === 0)
    assert.equal(await redis.hlen('{nextscale}:runners'), 1)
  } finally {
    redis.disconnect()
  }
})
