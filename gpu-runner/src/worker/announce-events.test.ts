import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import {
  DeliverWebhookPayload,
  deliverWebhookJob,
  type LiveWebhookEvent,
  liveDeliveryId,
  type QueuedWebhook,
  redisKeys,
  type StoredOutput
} from '@nextscale/openapi'
import { Queue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { Compile } from 'typebox/compile'
import { startRedis } from '@nextscale/platform/testing'
import { createLiveEvents, SILENT } from './announce-events.ts'

const ID = `gen_${'a'.repeat(26)}`
const OWNER = 'key_1'
const BASE = { url: 'https://example.com/hook', base: 'https://api.example.com' }
const ALL: QueuedWebhook['events'] = ['generation.started', 'generation.progress', 'generation.output', 'generation.failed']
const log = pino({ level: 'silent' })
const keys = redisKeys('test')
const Payload = Compile(DeliverWebhookPayload)

const outputs = [0, 1].map((index): StoredOutput => ({
  index,
  seed: index,
  key: `generations/${ID}/${index}.png`,
  content_type: 'image/png',
  width: 32,
  height: 32,
  bytes: 9,
  sha256: '0'.repeat(64),
  tokens_key: null
}))

const setUp = async (t: TestContext) => {
  const server = await startRedis()
  const told: string[] = []
  const onAnnounced = (event: LiveWebhookEvent, outcome: string) => void told.push(`${event} ${outcome}`)
  const redis = server.connect()
  await redis.ping()
  const events = await createLiveEvents({ redis, keys, log, onAnnounced })
  const queue = new Queue<DeliverWebhookPayload>(deliverWebhookJob.queue, { connection: server.redis, prefix: keys.bullmq })
  await queue.waitUntilReady()
  t.after(async () => {
    await events.close()
    await queue.close()
    await server.stop()
  })
  const of = (asked: QueuedWebhook['events'] | null, { run = 1, signal = new AbortController().signal } = {}) =>
    events.of({ id: ID, payload: { owner: OWNER, webhook: asked && { ...BASE, events: asked } }, run, signal })
  return { ...server, redis, queue, told, events, of }
}

test('each event is a delivery with an id of its own, listed for its owner and its generation', async (t) => {
  const { redis, queue, told, events, of } = await setUp(t)
  const announcer = of(ALL, { run: 2 })
  announcer.started()
  announcer.progress(3)
  await announcer.outputs(outputs)
  await events.settled()
  const common = { version: 1, owner: OWNER, generation_id: ID, ...BASE }
  const expected = new Map<string, object>([
    [liveDeliveryId(ID, 'generation.started', 'start'), { ...common, event: 'generation.started' }],
    [
      liveDeliveryId(ID, 'generation.progress', '2:3'),
      { ...common, event: 'generation.progress', progress: { run: 2, scale: 3 } }
    ],
    [liveDeliveryId(ID, 'generation.output', '0'), { ...common, event: 'generation.output', output: outputs[0] }],
    [liveDeliveryId(ID, 'generation.output', '1'), { ...common, event: 'generation.output', output: outputs[1] }]
  ])
  const jobs = await queue.getJobs(['wait'])
  assert.deepEqual(new Map(jobs.map(({ id, data }) => [id, data])), expected)
  const { attempts, backoff, retentionSeconds: age } = deliverWebhookJob
  for (const { data, opts, name } of jobs) {
    assert.ok(Payload.Check(data))
    assert.deepEqual([name, opts.attempts, opts.backoff], [deliverWebhookJob.queue, attempts, backoff])
    assert.deepEqual([opts.removeOnComplete, opts.removeOnFail], [{ age }, { age }])
  }
  const ids = [...expected.keys()].toSorted()
  const listed = await redis.zrange(keys.deliveries(OWNER), '0', '-1', 'WITHSCORES')
  assert.deepEqual(listed.filter((_, i) => i % 2 === 0).toSorted(), ids)
  for (const { id, timestamp } of jobs) assert.equal(Number(listed[listed.indexOf(id ?? '') + 1]), timestamp)
  assert.deepEqual(await redis.zrange(keys.liveDeliveries(ID), '0', '-1', 'WITHSCORES'), listed)
  const seconds = await redis.ttl(keys.liveDeliveries(ID))
  assert.ok(seconds > 30.9 * 86_400 && seconds <= 31 * 86_400)
  assert.deepEqual(told.toSorted(), [
    'generation.output queued',
    'generation.output queued',
    'generation.progress queued',
    'generation.started queued'
  ])
})

test('who asks for none costs nothing, and who asks for some gets no other', async (t) => {
  const { queue, events, of } = await setUp(t)
  assert.equal(of(null), SILENT)
  assert.equal(of(['generation.succeeded', 'generation.failed']), SILENT)
  const announcer = of(['generation.progress'])
  announcer.started()
  announcer.progress(1)
  await announcer.outputs(outputs)
  await events.settled()
  assert.deepEqual(
    (await queue.getJobs()).map(({ data }) => data.event),
    ['generation.progress']
  )
})

/** Takes all that waits as delivered. */
const deliverAll = async (queue: Queue, connection: Redis): Promise<void> => {
  const worker = new Worker(queue.name, async () => ({}), { connection, prefix: keys.bullmq })
  worker.on('error', () => undefined)
  await once(worker, 'drained')
  await worker.close()
}

test('an attempt after the first announces no second start, and no picture again, even after their delivery', async (t) => {
  const { redis, connect, queue, events, of } = await setUp(t)
  for (const run of [1, 2, 3]) {
    const announcer = of(ALL, { run })
    announcer.started()
    await announcer.outputs(outputs)
    await events.settled()
    if (run === 2) await deliverAll(queue, connect())
  }
  assert.deepEqual([await queue.count(), await queue.getCompletedCount()], [0, 3])
  const listed = await redis.zrange(keys.deliveries(OWNER), '0', '-1', 'WITHSCORES')
  const jobs = await queue.getJobs(['completed'])
  assert.equal(listed.length, 2 * jobs.length)
  for (const { id, timestamp } of jobs) assert.equal(Number(listed[listed.indexOf(id ?? '') + 1]), timestamp)
})

test('nothing is announced once the attempt was told to end', async (t) => {
  const { queue, events, of } = await setUp(t)
  const controller = new AbortController()
  const announcer = of(ALL, controller)
  controller.abort()
  announcer.started()
  announcer.progress(1)
  await announcer.outputs(outputs)
  await events.settled()
  assert.equal(await queue.count(), 0)
})

test('events are on the connection before whatever is sent on it afterwards', async (t) => {
  const { redis, queue, freeze, thaw, of } = await setUp(t)
  freeze()
  // Resolves although Redis does not answer.
  await of(ALL).outputs(outputs)
  thaw()
  await redis.ping()
  assert.equal(await queue.count(), 2)
})

test('a Redis that does not answer is sent no more than it can be expected to take', async (t) => {
  const { queue, told, freeze, thaw, events, of } = await setUp(t)
  freeze()
  const announcer = of(ALL)
  for (let scale = 1; scale <= 300; scale++) announcer.progress(scale)
  assert.equal(told.filter((text) => text === 'generation.progress lost').length, 300 - 256)
  thaw()
  await events.settled()
  assert.equal(await queue.count(), 256)
})

test('a Redis that is full takes neither the delivery nor its places in the lists', async (t) => {
  const { redis, queue, told, events, of } = await setUp(t)
  await redis.config('SET', 'maxmemory', '1')
  of(ALL).started()
  await events.settled()
  await redis.config('SET', 'maxmemory', '0')
  assert.deepEqual(told, ['generation.started lost'])
  assert.equal(await queue.count(), 0)
  assert.equal(await redis.exists(keys.deliveries(OWNER), keys.liveDeliveries(ID)), 0)
})
