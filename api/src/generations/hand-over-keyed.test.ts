import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { liveDeliveryId, terminalDeliveryId } from '@nextscale/openapi'
import { UnrecoverableError, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { OWNER } from '../owner.ts'
import { openTestApp, type TestApp } from '../testing/test-app.ts'
import { type Announced, announcedPayload, openAnnounced } from '../testing/webhooks.ts'
import { cancel } from './cancel.ts'
import { erase } from './erase.ts'
import { newGenerationId } from './id.ts'

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
})

const add = (id: string, webhook = announcedPayload().webhook) =>
  announced.services.enqueue.addKeyed({
    id: id,
    payload: { ...announcedPayload(), webhook: webhook ?? null },
    pool: 'default',
    createdAt: Date.now()
  })

/** Everything of a generation and its delivery that an add could touch. */
const stateOf = async (id: string) => {
  const { queues, deliveryQueue, redis, keys } = announced.services
  const queue = queues.of('default')
  const delivery = deliveryQueue.toKey(terminalDeliveryId(id))
  const counts = [await queue.getJobCounts(), await deliveryQueue.getJobCounts()]
  const hashes = [await redis.hgetall(queue.toKey(id)), await redis.hgetall(delivery)]
  const indexes = [await redis.zscore(keys.index(OWNER), id), await redis.zscore(keys.deliveries(OWNER), terminalDeliveryId(id))]
  return { counts, hashes, indexes, pending: await redis.smembers(`${delivery}:dependencies`) }
}

const assertUntouched = async (id: string, webhook = announcedPayload().webhook) => {
  const before = await stateOf(id)
  assert.equal((await add(id, webhook)).isNew, false)
  assert.deepEqual(await stateOf(id), before)
}

const end = async (id: string, process: () => Promise<unknown>) => {
  const worker = await context.runner(process)
  await context.app.inject(`/generations/${id}?wait=10`)
  await worker.close(true)
}

test('of a hundred adds at once one is new, and makes one generation and one delivery', async () => {
  const id = newGenerationId()
  const added = await Promise.all(Array.from({ length: 100 }, () => add(id)))
  assert.equal(added.filter(({ isNew }) => isNew).length, 1)
  const { counts, indexes, pending } = await stateOf(id)
  assert.deepEqual([counts[0]?.['prioritized'], counts[1]?.['waiting-children']], [1, 1])
  assert.ok(indexes.every((score) => score !== null))
  assert.deepEqual(pending, [context.queue.toKey(id)])
  await end(id, async () => ({ outcome: 'expired' }))
  assert.equal(await announced.stateOf(id), 'waiting')
})

test('an add of one that waits, runs, succeeded or failed changes nothing, and its delivery goes its way', async () => {
  for (const process of [async () => ({ outcome: 'expired' }), () => Promise.reject(new UnrecoverableError('no'))]) {
    const id = newGenerationId()
    await add(id)
    await assertUntouched(id)
    await end(id, async () => {
      await assertUntouched(id)
      return process()
    })
    assert.equal(await announced.stateOf(id), 'waiting')
    await assertUntouched(id)
    await assertUntouched(id, null)
  }
})

test('an add of one made without a webhook gives it none', async () => {
  const id = newGenerationId()
  await add(id, null)
  await assertUntouched(id)
  await end(id, async () => ({ outcome: 'expired' }))
  await assertUntouched(id)
})

test('an add of one that was canceled while it waited makes neither', async () => {
  const id = newGenerationId()
  await add(id)
  await cancel(announced.services, OWNER, id)
  await assertUntouched(id)
  assert.equal(await announced.stateOf(id), 'waiting')
})

test('an add of one that was deleted, or is past its retention, makes neither', async () => {
  const [deleted, past] = [newGenerationId(), newGenerationId()]
  await add(deleted)
  await cancel(announced.services, OWNER, deleted)
  await erase(announced.services, OWNER, deleted)
  await assertUntouched(deleted)
  assert.equal(await announced.stateOf(deleted), 'unknown')
  await add(past)
  await end(past, async () => ({ outcome: 'expired' }))
  // As the sweep does.
  await context.queue.remove(past)
  await assertUntouched(past)
  assert.equal(await announced.stateOf(past), 'waiting')
})

test('a delivery that outlived all else of its generation has its id remembered', async () => {
  const id = newGenerationId()
  await add(id)
  await end(id, async () => ({ outcome: 'expired' }))
  await context.queue.remove(id)
  await context.redis.zrem(context.keys.index(OWNER), id)
  assert.deepEqual(await add(id), { isNew: false, snapshot: { kind: 'gone' } })
  assert.equal(await announced.stateOf(id), 'waiting')
})

test('a deletion takes all deliveries along but one that is under way, of which it leaves no results', async () => {
  const { deliveryQueue, redis, keys } = announced.services
  const connection = new Redis(context.server.url, { maxRetriesPerRequest: null })
  const worker = new Worker(deliveryQueue.name, null, { connection, prefix: keys.bullmq })
  try {
    const first = await announced.add()
    await end(first, async () => ({ outcome: 'expired' }))
    const active = await worker.getNextJob('token')
    const ids = [first, await announced.add()]
    await end(ids[1] ?? '', async () => ({ outcome: 'expired' }))
    for (const id of ids) {
      const live = liveDeliveryId(id, 'generation.started', '1')
      await redis.zadd(keys.liveDeliveries(id), 1, live)
      await redis.zadd(keys.deliveries(OWNER), 1, live)
      const data = { ...(await deliveryQueue.getJob(terminalDeliveryId(id)))?.data }
      await redis.hset(deliveryQueue.toKey(live), 'data', JSON.stringify({ ...data, event: 'generation.started' }))
      await erase(announced.services, OWNER, id)
      await erase(announced.services, OWNER, id)
      assert.equal(await redis.exists(deliveryQueue.toKey(live), keys.liveDeliveries(id)), 0)
    }
    const [held = '', gone = ''] = ids.map(terminalDeliveryId)
    assert.equal(active?.id, held)
    assert.deepEqual([await deliveryQueue.getJobState(held), await deliveryQueue.getJobState(gone)], ['active', 'unknown'])
    assert.equal(await redis.exists(`${deliveryQueue.toKey(held)}:processed`), 0)
    const listed = await redis.zrange(keys.deliveries(OWNER), '0', '-1')
    assert.ok(listed.includes(held) && !listed.includes(gone))
    assert.ok(ids.every((id) => !listed.includes(liveDeliveryId(id, 'generation.started', '1'))))
  } finally {
    await worker.close(true)
    connection.disconnect()
  }
})
