import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { type CancelMark, terminalDeliveryId } from '@nextscale/openapi'
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { cancel } from '../generations/cancel.ts'
import { OWNER } from '../owner.ts'
import { openTestApp, type TestApp } from '../testing/test-app.ts'
import { type Announced, openAnnounced } from '../testing/webhooks.ts'
import { createUnreleasedSweep } from './sweep-unreleased.ts'
import { until } from '@nextscale/platform/testing'

let context: TestApp
let announced: Announced
before(async () => {
  context = await openTestApp()
  announced = await openAnnounced(context)
})
after(async () => {
  await announced.close()
  await context.close()
})
afterEach(async () => {
  await context.queue.obliterate({ force: true })
  await announced.services.deliveryQueue.obliterate({ force: true })
  await context.redis.del(context.keys.unreleased)
})

const { signal } = new AbortController()
const sweep = () => createUnreleasedSweep({ ...announced.services, signal })()
const isListed = async (id: string) => (await context.redis.zscore(context.keys.unreleased, id)) !== null
const hasJob = async (id: string) => (await context.queue.getJob(id)) !== undefined

/** As a cancel does, up to the moment at which its process is killed. */
const markCanceled = async (id: string) => {
  const { redis, keys } = announced.services
  const { data: payload, timestamp } = (await context.queue.getJob(id)) ?? assert.fail()
  const mark: CancelMark = { canceled_at: Date.now(), created_at: timestamp, payload }
  const places = [keys.cancelMark(id), keys.unreleased, keys.pools] as const
  assert.equal(await redis.markCanceled(...places, JSON.stringify(mark), 60, keys.cancelChannel, id), 1)
}

/** As the end by a deadline is recorded, up to the moment at which its process is killed. */
const markLapsed = async (id: string) => {
  const { redis, keys } = announced.services
  const { data: payload, timestamp } = (await context.queue.getJob(id)) ?? assert.fail()
  const mark: CancelMark = { canceled_at: Date.now(), outcome: 'expired', created_at: timestamp, payload }
  const places = [keys.cancelMark(id), keys.unreleased, keys.pools] as const
  assert.equal(await redis.markLapsed(...places, JSON.stringify(mark), 60, id), 1)
}

/** Takes the next generation up as a runner does that keeps it until the test has done with it. */
const takeUp = async (act: (worker: Worker, job: { id: string; lock: string }) => Promise<void>) => {
  const connection = new Redis(context.server.url, { maxRetriesPerRequest: null })
  const worker = new Worker(context.queue.name, null, { connection, prefix: context.keys.bullmq, stalledInterval: 20 })
  worker.on('error', () => undefined)
  try {
    const { id } = (await worker.getNextJob('token')) ?? assert.fail()
    await act(worker, { id: id ?? '', lock: `${context.queue.toKey(id ?? '')}:lock` })
  } finally {
    await worker.close(true)
    connection.disconnect()
  }
}

for (const [end, mark] of [
  ['canceled', markCanceled],
  ['expired', markLapsed]
] as const) {
  test(`one that was ${end} by a process that died before it removed the job is removed, and its delivery released`, async () => {
    const id = await announced.add()
    await mark(id)
    assert.equal(await announced.stateOf(id), 'waiting-children')
    await sweep()
    assert.equal(await announced.stateOf(id), 'waiting')
    assert.deepEqual([await hasJob(id), await isListed(id)], [false, false])
    assert.equal((await announced.services.reader.read(OWNER, id)).kind, 'removed')
  })
}

test('one that its runner holds is left alone, also while the runner has lost its lock, and removed when it waits again', async () => {
  const id = await announced.add()
  await takeUp(async (worker, { lock }) => {
    await markCanceled(id)
    await sweep()
    assert.deepEqual([await hasJob(id), await isListed(id)], [true, true])
    await context.redis.del(lock)
    await sweep()
    assert.deepEqual([await hasJob(id), await isListed(id)], [true, true])
    assert.equal(await context.redis.exists(lock), 0)
    // The stalled check takes it from the runner.
    await worker.startStalledCheckTimer()
    await until('it is taken', async () => (await context.queue.getJobState(id)) !== 'active')
  })
  assert.equal(await announced.stateOf(id), 'waiting-children')
  await sweep()
  assert.equal(await announced.stateOf(id), 'waiting')
  assert.deepEqual([await hasJob(id), await isListed(id)], [false, false])
})

test('one that its runner has ended stays, and is off the list', async () => {
  const id = await announced.add()
  await takeUp(async () => {
    await markCanceled(id)
    const job = (await context.queue.getJob(id)) ?? assert.fail()
    await job.moveToCompleted({ outcome: 'canceled' }, 'token', false)
  })
  assert.equal(await isListed(id), true)
  await sweep()
  assert.deepEqual([await hasJob(id), await isListed(id)], [true, false])
})

test('one that is gone is taken off the list, and one without a mark is not removed', async () => {
  const waiting = await announced.add()
  await context.redis.zadd(context.keys.unreleased, 1, 'gen_aaaaaaaaaaaaaaaaaaaaaaaaaa', 2, waiting)
  await sweep()
  assert.equal(await context.redis.zcard(context.keys.unreleased), 0)
  assert.equal(await hasJob(waiting), true)
})

test('two sweeps at once, over more than a page and past those that are held, remove each one once', async () => {
  const held = await announced.add()
  await takeUp(async () => {
    const ids = await Promise.all(Array.from({ length: 230 }, () => announced.add()))
    await Promise.all([held, ...ids].map(markCanceled))
    await Promise.all([sweep(), sweep()])
    await sweep()
    assert.deepEqual(await context.redis.zrange(context.keys.unreleased, '0', '-1'), [held])
    const { deliveryQueue } = announced.services
    const released = await deliveryQueue.getWaiting()
    assert.deepEqual(released.map(({ id = '' }) => id).toSorted(), ids.map(terminalDeliveryId).toSorted())
  })
})

test('a sweep, a cancel and a lapse of one generation at once release its delivery once', async () => {
  const id = await announced.add({ deadline_seconds: 5 })
  await context.redis.hset(context.queue.toKey(id), 'timestamp', String(Date.now() - 6000))
  await markCanceled(id)
  const { services } = announced
  await Promise.all([sweep(), cancel(services, OWNER, id), services.reader.read(OWNER, id), services.removeMarked(id), sweep()])
  assert.equal((await services.deliveryQueue.getWaiting()).length, 1)
  assert.equal(await isListed(id), false)
})
