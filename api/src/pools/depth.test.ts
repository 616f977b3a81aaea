import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { ProblemError } from '../http/problem.ts'
import { type RedisServer, startRedis } from '@nextscale/platform/testing'
import { createQueueDepth, oneQueue } from './depth.ts'

let server: RedisServer
let redis: Redis
let queue: Queue
before(async () => {
  server = await startRedis()
  redis = new Redis(server.url, { maxRetriesPerRequest: null })
  queue = new Queue('depth', { connection: redis })
  await redis.config('SET', 'maxmemory-policy', 'noeviction')
})
after(async () => {
  await queue.close()
  redis.disconnect()
  await server.stop()
})

const usedBytes = async () => Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1])

/** A depth whose clock stands still until it is told to go on. */
const open = (limit = 1000) => {
  let at = 0
  const depth = createQueueDepth(redis, oneQueue(queue), limit, () => at)
  const admit = async (bytes = 100): Promise<string> => {
    try {
      await depth.admit(bytes, queue.name)
      return 'admitted'
    } catch (error) {
      assert.ok(error instanceof ProblemError)
      return `${error.code}: ${error.message}`
    }
  }
  return { admit, pass: (ms: number) => (at += ms), depth }
}

test('a queue with as many jobs as may wait is full, also by what was admitted since it was looked at', async () => {
  await queue.addBulk([1, 2].map((data) => ({ name: 'job', data })))
  assert.match(await open(2).admit(), /^queue_full: 2 generations are waiting, and 2 may\./)
  const { admit } = open(4)
  assert.deepEqual([await admit(), await admit()], ['admitted', 'admitted'])
  assert.match(await admit(), /^queue_full: 4 generations are waiting, and 4 may\./)
})

test('it is full while Redis has memory left for runners, not only when nothing goes any more', async () => {
  await redis.config('SET', 'maxmemory', Math.round((await usedBytes()) / 0.92))
  assert.match(await open().admit(), /^queue_full: The queue's Redis uses \d\d % of its memory/)
  assert.equal(await redis.set('result', 'of a runner'), 'OK')
  await redis.config('SET', 'maxmemory', Math.round((await usedBytes()) / 0.7))
  assert.equal(await open().admit(), 'admitted')
  await redis.config('SET', 'maxmemory', 0)
  assert.equal(await open().admit(), 'admitted')
})

test('after a pause the first request goes by Redis as it is, not as it was', async () => {
  const { admit, pass } = open()
  await redis.config('SET', 'maxmemory', Math.round((await usedBytes()) / 0.92))
  assert.match(await admit(), /^queue_full/)
  await redis.config('SET', 'maxmemory', 0)
  pass(65_000)
  assert.equal(await admit(), 'admitted')
  await redis.config('SET', 'maxmemory', Math.round((await usedBytes()) / 0.92))
  pass(65_000)
  assert.match(await admit(), /^queue_full/)
  await redis.config('SET', 'maxmemory', 0)
})

test('within a second requests wait for no look', async () => {
  const { admit, depth, pass } = open()
  await admit()
  pass(900)
  assert.equal(depth.admit(100, queue.name), undefined)
})

test('a burst between two looks leaves the reserve as it is', async () => {
  const room = 400_000
  const used = await usedBytes()
  // So small a Redis that a burst could fill it: 85 % are reached after about as many bytes.
  await redis.config('SET', 'maxmemory', Math.round((used + room) / 0.85))
  const { admit } = open()
  let added = 0
  for (; added < 10_000 && (await admit(300)) === 'admitted'; added++)
    await queue.add('job', { text: 'x'.repeat(300) }, { priority: 1, jobId: `burst-${added}` })
  const share = (await usedBytes()) / ((used + room) / 0.85)
  await redis.config('SET', 'maxmemory', 0)
  assert.ok(added > 50, `${added} were admitted`)
  assert.ok(share < 0.87, `${share} of the memory is used`)
})

test('what others admit meanwhile is counted from one look to the next', async () => {
  const { admit, pass } = open()
  const used = await usedBytes()
  await redis.config('SET', 'maxmemory', Math.round((used + 1_000_000) / 0.85))
  let admitted = 0
  for (let round = 0; round < 40; round++) {
    // Of five API processes this is one.
    for (let each = 0; each < 5 && (await admit(300)) === 'admitted'; each++) admitted++
    await queue.addBulk(Array.from({ length: 25 }, () => ({ name: 'job', data: 'x'.repeat(300), opts: { priority: 1 } })))
    if ((await admit(300)) !== 'admitted') break
    pass(1000)
  }
  const share = (await usedBytes()) / ((used + 1_000_000) / 0.85)
  await redis.config('SET', 'maxmemory', 0)
  assert.ok(admitted > 0 && share < 0.9, `${share} of the memory is used`)
})
