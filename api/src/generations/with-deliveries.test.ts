import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Generation, getGeneration, terminalDeliveryId } from '@nextscale/openapi'
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { OWNER } from '../owner.ts'
import { assertKept } from '../testing/contract.ts'
import { bodyOf, openTestApp, type TestApp } from '../testing/test-app.ts'
import { type Announced, openAnnounced } from '../testing/webhooks.ts'
import { openGenerations } from './open.ts'
import { withDeliveries } from './with-deliveries.ts'

const WEBHOOK = { url: 'http://127.0.0.1:9/hook' }

let context: TestApp
let announced: Announced
before(async () => {
  context = await openTestApp({ EGRESS: 'any' })
  announced = await openAnnounced(context)
})
after(async () => {
  await announced.close()
  await context.close()
})

const get = async (id: string) => {
  const response = await context.app.inject(`/generations/${id}`)
  assertKept(getGeneration, response)
  return { etag: response.headers['etag'], webhook: bodyOf<Generation>(response).webhook }
}

const cancel = async (id: string) =>
  bodyOf<Generation>(await context.app.inject({ method: 'POST', url: `/generations/${id}/cancel` }))

/** Takes up the one delivery that is due, as the control process does. */
const deliver = async (act: (job: NonNullable<Awaited<ReturnType<Worker['getNextJob']>>>) => Promise<unknown>) => {
  const connection = new Redis(context.server.url, { maxRetriesPerRequest: null })
  const worker = new Worker(announced.services.deliveryQueue.name, null, { connection, prefix: context.keys.bullmq })
  worker.on('error', () => undefined)
  await act((await worker.getNextJob('token')) ?? assert.fail('No delivery is due'))
  await worker.close(true)
  connection.disconnect()
}

test('the announcement is shown as it goes on, and each step of it has a tag of its own', async () => {
  const { id, webhook } = await context.generate({ webhook: WEBHOOK })
  const events = ['generation.succeeded', 'generation.failed', 'generation.canceled', 'generation.expired']
  assert.deepEqual(webhook, { ...WEBHOOK, events, delivery_id: terminalDeliveryId(id), status: 'waiting', attempts: 0 })
  const seen = [await get(id)]
  assert.equal((await cancel(id)).webhook?.status, 'pending')
  seen.push(await get(id))
  await deliver(async (job) => {
    await job.log('{}')
    seen.push(await get(id))
    await job.moveToCompleted({ outcome: 'delivered', event: 'generation.canceled' }, 'token', false)
  })
  seen.push(await get(id))
  const states = seen.map((one) => `${one.webhook?.status} ${one.webhook?.attempts}`)
  assert.deepEqual(states, ['waiting 0', 'pending 0', 'pending 1', 'delivered 1'])
  assert.equal(new Set(seen.map(({ etag }) => etag)).size, seen.length)
  assert.equal((await get(id)).etag, seen.at(-1)?.etag)
})

test('one whose end is on record and whose job is not removed yet is as good as announced', async () => {
  const { id } = await context.generate({ webhook: WEBHOOK })
  const { data: payload, timestamp } = (await context.queue.getJob(id)) ?? assert.fail()
  const mark = { canceled_at: Date.now(), created_at: timestamp, payload }
  await context.redis.set(context.keys.cancelMark(id), JSON.stringify(mark))
  assert.equal(await announced.stateOf(id), 'waiting-children')
  assert.equal((await get(id)).webhook?.status, 'pending')
})

test('when a delivery is not kept any more, there is nothing to show of it', async () => {
  const { id } = await context.generate({ webhook: WEBHOOK })
  await cancel(id)
  await announced.services.deliveryQueue.remove(terminalDeliveryId(id))
  assert.equal((await get(id)).webhook, null)
})

test('deliveries are read at once for a page, and only of those that have ended and are announced', async () => {
  const { services } = announced
  const plain = await context.generate()
  const [waiting, ended, also] = [await announced.add(), await announced.add(), await announced.add()]
  for (const id of [plain.id, ended, also]) await cancel(id)
  const asked: (readonly string[])[] = []
  const reader = withDeliveries(openGenerations(services.redis, services.keys).reader, {
    readMany: async (ids) => {
      asked.push(ids)
      return ids.map((id) => (id === terminalDeliveryId(also) ? undefined : { status: 'failed', attempts: 3 }))
    }
  })
  const shown = await reader.readMany(OWNER, [also, plain.id, ended, waiting])
  assert.deepEqual(asked, [[also, ended].map(terminalDeliveryId)])
  assert.deepEqual(
    shown.map((snapshot) => ('delivery' in snapshot ? snapshot.delivery?.status : undefined)),
    [undefined, undefined, 'failed', undefined]
  )
  for (const id of [plain.id, waiting]) await reader.read(OWNER, id)
  assert.equal(asked.length, 1)
})
