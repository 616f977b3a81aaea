import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../testing/index.ts'
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
