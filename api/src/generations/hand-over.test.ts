import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { type DeliverWebhookPayload, deliverWebhookJob, terminalDeliveryId } from '@nextscale/openapi'
import { UnrecoverableError, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { OWNER } from '../owner.ts'
import { openTestApp, type RunnerJob, type TestApp } from '../testing/test-app.ts'
import { type Announced, announcedPayload, openAnnounced, WEBHOOK } from '../testing/webhooks.ts'
import { cancel } from './cancel.ts'
import { newGenerationId } from './id.ts'
import { until } from '@nextscale/platform/testing'

let context: TestApp
let announced: Announced
const runners: { close(force?: boolean): Promise<void> }[] = []
before(async () => {
  context = await openTestApp()
  announced = await openAnnounced(context)
})
after(async () => {
  await announced.close()
  await context.close()
})
afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.close(true)
  await context.queue.obliterate({ force: true })
  await announced.services.deliveryQueue.obliterate({ force: true })
})

const run = async (process: (job: RunnerJob) => Promise<unknown>) => {
  const runner = await context.runner(process)
  runners.push(runner)
  return runner
}

const untilReleased = (id: string) => until(`the delivery of ${id}`, async () => (await announced.stateOf(id)) === 'waiting')

/** Makes a generation older than it is, as if everybody's clock had gone on. */
const age = (id: string, seconds: number) =>
  context.redis.hset(context.queue.toKey(id), 'timestamp', String(Date.now() - seconds * 1000))

const read = (id: string) => announced.services.reader.read(OWNER, id)

test('a generation and its delivery are added together, and both are listed', async () => {
  const id = await announced.add()
  const delivery = await announced.services.deliveryQueue.getJob(terminalDeliveryId(id))
  const expected: DeliverWebhookPayload = {
    version: 1,
    owner: OWNER,
    generation_id: id,
    url: WEBHOOK.url,
    base: WEBHOOK.base,
    event: null,
    events: WEBHOOK.events
  }
  assert.deepEqual(delivery?.data, expected)
  assert.equal(delivery?.opts.attempts, deliverWebhookJob.attempts)
  assert.equal(await announced.stateOf(id), 'waiting-children')
  assert.equal(await context.queue.getJobState(id), 'prioritized')
  assert.notEqual(await context.redis.zscore(context.keys.index(OWNER), id), null)
  assert.notEqual(await context.redis.zscore(context.keys.deliveries(OWNER), terminalDeliveryId(id)), null)
})

test('a generation without a webhook has no delivery', async () => {
  const id = newGenerationId()
  await announced.services.enqueue.add({
    id,
    pool: 'default',
    payload: { ...announcedPayload(), webhook: null },
    createdAt: Date.now()
  })
  assert.equal(await announced.stateOf(id), 'unknown')
  assert.equal(await context.queue.getJobState(id), 'prioritized')
})

test('a Redis that is full takes neither, nor an entry of either', async () => {
  const id = newGenerationId()
  const { enqueue } = announced.services
  await context.redis.config('SET', 'maxmemory', '1')
  try {
    await assert.rejects(enqueue.add({ id, pool: 'default', payload: announcedPayload(), createdAt: Date.now() }), {
      code: 'queue_full'
    })
    await assert.rejects(enqueue.addKeyed({ id, pool: 'default', payload: announcedPayload(), createdAt: Date.now() }), {
      code: 'queue_full'
    })
  } finally {
    await context.redis.config('SET', 'maxmemory', '0')
  }
  assert.deepEqual([await announced.stateOf(id), await context.queue.getJobState(id)], ['unknown', 'unknown'])
  assert.equal(await context.redis.zscore(context.keys.index(OWNER), id), null)
  assert.equal(await context.redis.zscore(context.keys.deliveries(OWNER), terminalDeliveryId(id)), null)
})

test('success releases the delivery, and nothing does before', async () => {
  const id = await announced.add()
  let finish = () => {}
  const finished = new Promise<void>((resolve) => (finish = resolve))
  await run(async () => {
    await finished
    return { outcome: 'expired' }
  })
  await until(`the start of ${id}`, async () => (await context.queue.getJobState(id)) === 'active')
  assert.equal(await announced.stateOf(id), 'waiting-children')
  finish()
  await untilReleased(id)
})

test('a failure for good releases it', async () => {
  const id = await announced.add()
  await run(() => Promise.reject(new UnrecoverableError('no')))
  await untilReleased(id)
  assert.equal(await context.queue.getJobState(id), 'failed')
})

test('a failure that is tried again does not release it, and the last attempt does', async () => {
  const id = await announced.add()
  const states: string[] = []
  await run(async () => {
    states.push(await announced.stateOf(id))
    throw states.length < 4 ? new Error('once more') : new UnrecoverableError('no more')
  })
  await untilReleased(id)
  assert.deepEqual(
    states,
    Array.from({ length: 4 }, () => 'waiting-children')
  )
})

test('a generation whose runners were lost too often releases it', async () => {
  const id = await announced.add()
  const connection = new Redis(context.server.url, { maxRetriesPerRequest: null })
  const options = { connection, prefix: context.keys.bullmq, stalledInterval: 50, maxStalledCount: 0 }
  const worker = new Worker(context.queue.name, null, options)
  worker.on('error', () => undefined)
  try {
    // A runner takes it up and is gone: nobody has its lock.
    const taken = await worker.getNextJob('lost')
    assert.equal(taken?.id, id)
    await context.redis.del(`${context.queue.toKey(id)}:lock`)
    await worker.startStalledCheckTimer()
    await until(`the return of ${id}`, async () => (await context.queue.getJobState(id)) === 'waiting')
    await run(async () => assert.fail('It is not run again'))
    await untilReleased(id)
    assert.match((await context.queue.getJob(id))?.failedReason ?? '', /stalled more than allowable limit/)
  } finally {
    await worker.close(true)
    connection.disconnect()
  }
})

test('a cancel while it waits releases it, and leaves nothing to be released', async () => {
  const id = await announced.add()
  assert.equal((await cancel(announced.services, OWNER, id)).standing.status, 'canceled')
  assert.equal(await announced.stateOf(id), 'waiting')
  assert.equal(await context.queue.getJob(id), undefined)
  assert.equal(await context.redis.zscore(context.keys.unreleased, id), null)
})

test('a cancel while it runs releases it when the runner has ended it', async () => {
  const id = await announced.add()
  let finish = () => {}
  const finished = new Promise<void>((resolve) => (finish = resolve))
  await run(async () => {
    await finished
    return { outcome: 'canceled' }
  })
  await until(`the start of ${id}`, async () => (await context.queue.getJobState(id)) === 'active')
  assert.equal((await cancel(announced.services, OWNER, id)).standing.status, 'canceling')
  assert.equal(await announced.stateOf(id), 'waiting-children')
  finish()
  await untilReleased(id)
})

for (const [name, limits] of [
  ['start deadline', { start_deadline_seconds: 5 }],
  ['deadline', { deadline_seconds: 5 }]
] as const) {
  test(`a ${name} that passes while it waits releases it`, async () => {
    const id = await announced.add(limits)
    await age(id, 6)
    assert.equal((await read(id)).kind, 'removed')
    assert.equal(await announced.stateOf(id), 'waiting')
    assert.equal(await context.redis.zscore(context.keys.unreleased, id), null)
  })
}
