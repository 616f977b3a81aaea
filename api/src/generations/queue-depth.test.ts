import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { ProblemError } from '../http/problem.ts'
import { type RedisServer, startRedis } from '../testing/redis-server.ts'
import { createQueueDepth } from './queue-depth.ts'

let server: RedisServer
let redis: Redis
let queue: Queue
before(async () => {
  server = await startRedis()
  redis = new Redis(server.url, { maxRetriesPerRequest: null })
  queue = new Queue('depth', { connection: redis })
})
after(async () => {
  await queue.close()
  redis.disconnect()
  await server.stop()
})

const usedBytes = async () => Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1])

/** What `admit` says once it has looked at Redis as it is now. */
const admission = async (limit = 10): Promise<string> => {
  let now = 0
  const depth = createQueueDepth(redis, queue, limit, () => now)
  depth.admit()
  await sleep(50)
  now = 1
  try {
    depth.admit()
    return 'admitted'
  } catch (error) {
    assert.ok(error instanceof ProblemError)
    return `${error.code}: ${error.message}`
  }
}

test('a queue with as many jobs as may wait is full', async () => {
  await queue.addBulk([1, 2].map((data) => ({ name: 'job', data })))
  assert.equal(await admission(3), 'admitted')
  assert.match(await admission(2), /^queue_full: 2 generations are waiting, and 2 may\./)
})

test('it is full while Redis has memory left for runners, not only when nothing goes any more', async () => {
  await redis.config('SET', 'maxmemory-policy', 'noeviction')
  await redis.config('SET', 'maxmemory', Math.round((await usedBytes()) / 0.92))
  assert.match(await admission(), /^queue_full: The queue's Redis uses \d\d % of its memory/)
  assert.equal(await redis.set('result', 'of a runner'), 'OK')
  await redis.config('SET', 'maxmemory', Math.round((await usedBytes()) / 0.7))
  assert.equal(await admission(), 'admitted')
  await redis.config('SET', 'maxmemory', 0)
  assert.equal(await admission(), 'admitted')
})
