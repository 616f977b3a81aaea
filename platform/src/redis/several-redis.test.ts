import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { freePort, startRedis } from '../testing/index.ts'
import { newRedis } from './new-redis.ts'

test('who is told to give up does so where no server answers', async () => {
  const port = await freePort()
  for (const url of [`redis+cluster://127.0.0.1:${port}`, `redis+sentinel://127.0.0.1:${port}/main`]) {
    const redis = newRedis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null })
    redis.on('error', () => undefined)
    await assert.rejects(redis.connect())
    redis.disconnect()
  }
})

test('a database that the server does not have is no other one', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const redis = newRedis(`${server.url}/99`, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null })
  const failed = once(redis, 'error')
  await redis.connect().catch(() => undefined)
  assert.match(String((await failed)[0]), /DB index is out of range/)
  await assert.rejects(redis.set('a', '1'))
  assert.equal(await server.redis.dbsize(), 0)
})
