import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { deliverWebhookJob, type Generation, terminalDeliveryId, WebhookAttempt } from '@nextscale/openapi'
import { parserOf } from '../contract/parser.ts'
import { connectProducer } from '../redis/connect.ts'
import { ATTEMPT, type Deliveries, newTestDeliveryId, openDeliveries, RETRY_DELAY_MS } from '../testing/deliveries.ts'
import { bodyOf, openTestApp, post, type TestApp } from '../testing/test-app.ts'
import { createDeliveryReader, type DeliveryReader } from './delivery-snapshot.ts'

let context: TestApp
let deliveries: Deliveries
let reader: DeliveryReader
let redis: ReturnType<typeof connectProducer>
before(async () => {
  context = await openTestApp({ EGRESS: 'any' })
  deliveries = openDeliveries(context)
  redis = connectProducer(context.server.url, context.app.log)
  await new Promise((resolve) => redis.once('ready', resolve))
  reader = createDeliveryReader(redis, deliveries.queue)
})
after(async () => {
  redis.disconnect()
  await deliveries.close()
  await context.close()
})

const read = async (id: string) => (await reader.readMany([id]))[0]

test('one whose generation has not ended waits', async () => {
  const generation = bodyOf<Generation>(await post(context.app, '/generate', { webhook: { url: 'http://127.0.0.1:9/end' } }))
  const snapshot = await read(terminalDeliveryId(generation.id))
  assert.deepEqual([snapshot?.status, snapshot?.place, snapshot?.attempts], ['waiting', 'waiting-children', 0])
  assert.equal(snapshot?.payload.generation_id, generation.id)
  assert.equal(snapshot?.createdAt, Date.parse(generation.created_at))
})

test('one that is due, under way or to be tried again is pending, and says when', async () => {
  const id = await deliveries.add()
  assert.deepEqual([(await read(id))?.status, (await read(id))?.place], ['pending', 'due'])
  const job = await deliveries.take()
  assert.deepEqual([(await read(id))?.status, (await read(id))?.nextAttemptAt], ['pending', null])
  const from = Date.now()
  await deliveries.retryLater(job)
  const to = Date.now()
  const delayed = await read(id)
  assert.deepEqual([delayed?.status, delayed?.place, delayed?.attempts, delayed?.completedAt], ['pending', 'delayed', 1, null])
  const at = delayed?.nextAttemptAt ?? 0
  assert.ok(at >= from + RETRY_DELAY_MS && at <= to + RETRY_DELAY_MS, `${at}`)
})

test('one that ended says how, when, and after how many attempts', async () => {
  const [delivered, skipped, failed] = [await deliveries.add(), await deliveries.add(), await deliveries.add()]
  await deliveries.deliver(await deliveries.take())
  await deliveries.deliver(await deliveries.take(), { outcome: 'skipped', event: 'generation.canceled' })
  await deliveries.giveUp(await deliveries.take())
  const snapshots = await reader.readMany([delivered, newTestDeliveryId(), skipped, failed])
  assert.deepEqual(
    snapshots.map((snapshot) => snapshot?.status),
    ['delivered', undefined, 'skipped', 'failed']
  )
  assert.ok(snapshots.every((snapshot) => !snapshot || (snapshot.attempts === 1 && (snapshot.completedAt ?? 0) > 0)))
  assert.equal(snapshots[2]?.result?.event, 'generation.canceled')
})

test('attempts come first to last, and the last are kept', async () => {
  const id = await deliveries.add()
  const job = await deliveries.take()
  for (let latency = 0; latency < deliverWebhookJob.keptAttempts + 5; latency += 1)
    await job.log(JSON.stringify({ ...ATTEMPT, latency_ms: latency }))
  await job.log('what another release may write')
  const [attempts = [], none] = await reader.readAttempts([id, newTestDeliveryId()])
  assert.deepEqual(none, [])
  assert.deepEqual(attempts.at(-1), { ...ATTEMPT, latency_ms: deliverWebhookJob.keptAttempts + 4 })
  assert.equal(attempts.length, deliverWebhookJob.keptAttempts - 1)
  await deliveries.deliver(job)
})

test('an attempt with an odd field is shown by its others', async () => {
  const id = await deliveries.add()
  const job = await deliveries.take()
  const odd = [
    { status_code: 1000 },
    { status_code: 'none' },
    { latency_ms: null },
    { latency_ms: -1 },
    { response: 5 },
    { error: {} },
    { outcome: 'bounced' },
    { at: 'yesterday' },
    { added: 'by a later release' }
  ]
  for (const field of odd) await job.log(JSON.stringify({ ...ATTEMPT, ...field }))
  const [attempts = []] = await reader.readAttempts([id])
  assert.equal(attempts.length, odd.length)
  const isAttempt = parserOf(WebhookAttempt)
  for (const [at, field] of odd.entries()) {
    const shown = attempts[at]
    assert.notEqual(isAttempt(shown), undefined, JSON.stringify(shown))
    for (const [name, value] of Object.entries(ATTEMPT))
      if (!(name in field) && value !== null)
        assert.equal(Reflect.get(shown ?? {}, name), value, `${name} beside ${JSON.stringify(field)}`)
  }
  await deliveries.deliver(job)
})

test('one that another release wrote and this one cannot read is not shown', async () => {
  const id = await deliveries.add()
  await redis.hset(deliveries.queue.toKey(id), 'data', JSON.stringify({ version: 2 }))
  assert.equal(await read(id), undefined)
})
