import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { generateImageJob, getStatus, type RunnerCard, type ServiceStatus, virtualPriority } from '@nextscale/openapi'
import { until } from '@nextscale/platform/testing'
import { modelCard } from '../../testing/model-card.ts'
import { assertKept } from '../../testing/contract.ts'
import { bodyOf, openTestApp, type TestApp } from '../../testing/test-app.ts'
import { lookAtQueue } from '../../pools/look.ts'
import { createRunnerRegistry } from '../../runners/read-runners.ts'

let context: TestApp
before(async () => {
  context = await openTestApp({ QUEUE_LIMIT: '5' }, [modelCard(), modelCard({ id: 'other', order: 1 })])
})
after(() => context.close())

const runner = (id: string, announcedAt: number, models: RunnerCard['models']): RunnerCard => ({
  id,
  version: '0.1.0',
  started_at: new Date(0).toISOString(),
  announced_at: new Date(announcedAt).toISOString(),
  max_batch: 4,
  models
})

const announce = (card: RunnerCard) => context.redis.hset(context.keys.runners, card.id, JSON.stringify(card))

const status = async (): Promise<ServiceStatus> => {
  const response = await context.app.inject('/status')
  assertKept(getStatus, response)
  assert.equal(response.statusCode, 200)
  return bodyOf<ServiceStatus>(response)
}

test('speeds of a model are those of the runners that live, together', async () => {
  await announce(runner('a', Date.now(), [{ id: 'emoji-32', image_ms: 100, latency_ms: 300 }]))
  await announce(runner('b', Date.now(), [{ id: 'emoji-32', image_ms: 50, latency_ms: 500 }]))
  await announce(runner('fresh', Date.now(), [{ id: 'emoji-32', image_ms: null, latency_ms: null }]))
  await announce(runner('dead', Date.now() - 31_000, [{ id: 'emoji-32', image_ms: 1, latency_ms: 1 }]))
  await context.redis.hset(context.keys.runners, 'broken', '{')
  await until('the runners are known', async () => (await status()).runners === 3)
  const { models } = await status()
  assert.deepEqual(models, [
    { id: 'emoji-32', runners: 3, latency_ms: 400, images_per_second: 30 },
    { id: 'other', runners: 0, latency_ms: null, images_per_second: null }
  ])
})

test('revisions that generations wait for, and no runner serves, are told until somebody does', async () => {
  const { redis, keys } = context
  assert.deepEqual((await status()).unserved, [])
  const now = Date.now()
  await redis.zadd(keys.unserved, now, 'emoji-32@r0', now - 200_000, 'other@gone', now, 'other@made')
  await redis.zadd(keys.putAside('emoji-32', 'r0'), now, 'gen_a', now, 'gen_b', now - 200_000, 'gen_of_long_ago')
  assert.deepEqual((await status()).unserved, [{ model: 'emoji-32', revision: 'r0', waiting: 2 }])
  await redis.del(keys.unserved)
})

test('a runner that serves two revisions of a model counts once', async () => {
  const models = ['r1', 'r2'].map((revision) => ({ id: 'other', revision, image_ms: 100, latency_ms: 300 }))
  await announce(runner('both', Date.now(), models))
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  assert.deepEqual((await status()).models[1], { id: 'other', runners: 1, latency_ms: 300, images_per_second: 10 })
  await context.redis.hdel(context.keys.runners, 'both')
})

test('runners are read anew once half a second has passed, and not before', async () => {
  let now = Date.now()
  const registry = createRunnerRegistry({ redis: context.redis, keys: context.keys, now: () => now })
  const before = (await registry.cards()).length
  await announce(runner('late', now, []))
  assert.equal((await registry.cards()).length, before)
  now += 500
  assert.equal((await registry.cards()).length, before + 1)
})

test('the queue is told by counts, and the wait by the next one to run', async () => {
  const { redis, queue } = context
  const empty = await status()
  assert.deepEqual(empty.queue, { waiting: 0, running: 0, oldest_wait_ms: null })
  assert.equal(empty.accepting, true)
  const add = (id: string, priority: keyof typeof generateImageJob.priority, timestamp: number) =>
    queue.add('generate-image', {} as never, {
      jobId: id,
      timestamp,
      priority: virtualPriority(generateImageJob.priority, priority, timestamp)
    })
  // The middle of one of the units of 300 s in which priorities are counted.
  const now = Date.parse('2026-06-01T12:02:30Z')
  await add('low', 'low', now - 90_000)
  await add('normal', 'normal', now - 60_000)
  await add('second', 'normal', now - 70_000)
  await queue.add('generate-image', {} as never, { jobId: 'again', delay: 60_000, timestamp: now })
  const look = await lookAtQueue(redis, queue, () => now)
  assert.deepEqual(look, { waiting: 3, running: 0, delayed: 1, nextWaitMs: 60_000 })
  assert.equal((await status()).queue.waiting, 4)
  await add('high', 'high', now - 10)
  assert.equal((await lookAtQueue(redis, queue, () => now)).nextWaitMs, 10)
})

test('without Redis it is a 503', async () => {
  context.server.freeze()
  try {
    const response = await context.app.inject('/status')
    assertKept(getStatus, response)
    assert.equal(response.statusCode, 503)
  } finally {
    context.server.thaw()
  }
})
