import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Generation, type Problem, redeliverWebhook, terminalDeliveryId, type WebhookDelivery } from '@nextscale/openapi'
import { assertKept } from '../../testing/contract.ts'
import { type Deliveries, newTestDeliveryId, openDeliveries } from '../../testing/deliveries.ts'
import { bodyOf, openTestApp, post, type TestApp } from '../../testing/test-app.ts'
import { OWNER } from '../../keys/owner.ts'

let context: TestApp
let deliveries: Deliveries
before(async () => {
  context = await openTestApp({ EGRESS: 'any' })
  deliveries = openDeliveries(context)
})
after(async () => {
  await deliveries.close()
  await context.close()
})

const send = async (id: string) => {
  const response = await context.app.inject({ method: 'POST', url: `/webhook-deliveries/${id}/redeliver` })
  assertKept(redeliverWebhook, response)
  return response
}

const redeliver = async (id: string): Promise<WebhookDelivery> => {
  const response = await send(id)
  assert.equal(response.statusCode, 202, response.body)
  const { pathname } = new URL(String(response.headers['location']))
  assert.equal(pathname, `/v1/webhook-deliveries/${id}`)
  assert.equal(bodyOf<WebhookDelivery>(await context.app.inject(pathname)).id, id)
  return bodyOf<WebhookDelivery>(response)
}

const refusal = async (id: string): Promise<[number, string]> => {
  const response = await send(id)
  return [response.statusCode, bodyOf<Problem>(response).code]
}

const announced = async (): Promise<string> =>
  bodyOf<Generation>(await post(context.app, '/generate', { webhook: { url: 'http://127.0.0.1:9/' } })).id

test('one that was delivered or given up is due again, with its id, its attempts and the whole schedule', async () => {
  const [delivered, failed] = [await deliveries.add(), await deliveries.add()]
  await deliveries.deliver(await deliveries.take())
  const job = await deliveries.take()
  await deliveries.retryLater(job)
  await deliveries.queue.promoteJobs()
  await deliveries.giveUp(await deliveries.take())
  for (const [id, attempts] of [[delivered, 1] as const, [failed, 2] as const]) {
    const { status, attempts: shown, completed_at, expires_at } = await redeliver(id)
    assert.deepEqual([status, shown.length, completed_at, expires_at], ['pending', attempts, null, null])
    const again = await deliveries.take()
    assert.deepEqual([again.id, again.attemptsMade, again.attemptsStarted], [id, 0, 1])
    await deliveries.deliver(again)
  }
})

test('one that waits to be tried again is tried at once', async () => {
  const id = await deliveries.add()
  await deliveries.retryLater(await deliveries.take())
  const { status, next_attempt_at } = await redeliver(id)
  assert.deepEqual([status, next_attempt_at], ['pending', null])
  const again = await deliveries.take()
  assert.deepEqual([again.id, again.attemptsMade], [id, 1])
  await deliveries.deliver(again)
})

test('one that is due or under way stays as it is', async () => {
  const id = await deliveries.add()
  assert.equal((await redeliver(id)).status, 'pending')
  const job = await deliveries.take()
  assert.equal((await redeliver(id)).status, 'pending')
  assert.equal(await deliveries.queue.getWaitingCount(), 0)
  await deliveries.deliver(job)
})

test('asked for many times at once, it is sent once', async () => {
  const delivered = await deliveries.add()
  await deliveries.deliver(await deliveries.take())
  const delayed = await deliveries.add()
  await deliveries.retryLater(await deliveries.take())
  await Promise.all([delivered, delayed].flatMap((id) => Array.from({ length: 8 }, () => redeliver(id))))
  assert.equal(await deliveries.queue.getWaitingCount(), 2)
  for (const _ of [delivered, delayed]) await deliveries.deliver(await deliveries.take())
})

test('asked for while it ends, it is either sent again or as it ended, and nothing is lost or doubled', async () => {
  for (let round = 0; round < 20; round += 1) {
    const id = await deliveries.add()
    const job = await deliveries.take()
    const [answers] = await Promise.all([
      Promise.all([redeliver(id), redeliver(id)]),
      round % 2 === 0 ? deliveries.deliver(job) : deliveries.retryLater(job)
    ])
    assert.ok(answers.every(({ status }) => ['pending', 'delivered'].includes(status)))
    const state = await deliveries.queue.getJobState(id)
    assert.ok(['waiting', 'completed', 'delayed'].includes(state), state)
    if (state !== 'waiting') await redeliver(id)
    assert.equal(await deliveries.queue.getWaitingCount(), 1)
    await deliveries.deliver(await deliveries.take())
  }
})

test('one whose generation has not ended has nothing to send yet', async () => {
  const id = await announced()
  assert.deepEqual(await refusal(terminalDeliveryId(id)), [409, 'delivery_not_due'])
  await context.app.inject({ method: 'POST', url: `/generations/${id}/cancel` })
  assert.equal((await redeliver(terminalDeliveryId(id))).event, 'generation.canceled')
  await deliveries.deliver(await deliveries.take())
})

test('one that was skipped is refused, and the refusal says why', async () => {
  const id = await deliveries.add()
  await deliveries.deliver(await deliveries.take(), { outcome: 'skipped', event: 'generation.failed' })
  const response = await send(id)
  assert.deepEqual([response.statusCode, bodyOf<Problem>(response).code], [409, 'delivery_not_due'])
  assert.match(bodyOf<Problem>(response).detail, /generation\.failed, which was not asked for/)
})

test('what is someone else’s, unknown, or went with its generation is a 404', async () => {
  const other = await deliveries.add({ owner: `${OWNER}-not` })
  await deliveries.deliver(await deliveries.take())
  const generation = await announced()
  await context.app.inject({ method: 'POST', url: `/generations/${generation}/cancel` })
  assert.equal((await context.app.inject({ method: 'DELETE', url: `/generations/${generation}` })).statusCode, 204)
  for (const id of [other, newTestDeliveryId(), 'whd_x', terminalDeliveryId(generation)])
    assert.deepEqual(await refusal(id), [404, 'delivery_not_found'])
  assert.equal(await deliveries.queue.getJobState(other), 'completed')
})
