import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  type DeliveryStatus,
  type Generation,
  getWebhookDelivery,
  liveDeliveryId,
  listWebhookDeliveries,
  type Problem,
  terminalDeliveryId,
  type WebhookDelivery
} from '@nextscale/openapi'
import { encodeCursor } from '../../generations/cursor.ts'
import { newGenerationId } from '../../generations/id.ts'
import { assertKept } from '../../testing/contract.ts'
import { ATTEMPT, type Deliveries, newTestDeliveryId, openDeliveries, RETRY_DELAY_MS } from '../../testing/deliveries.ts'
import { bodyOf, openTestApp, type TestApp } from '../../testing/test-app.ts'
import { until } from '@nextscale/platform/testing'

interface Page {
  data: WebhookDelivery[]
  next_cursor: string | null
}

const DAY_MS = 86_400_000

let context: TestApp
let deliveries: Deliveries
/** Two owners who each have a log of their own. */
let mine: { token: string; owner: string }
let theirs: { token: string; owner: string }

const newOwner = async () => {
  const { token, record } = await context.createKey({ scopes: ['webhooks', 'generate', 'read'] })
  return { token, owner: record.id }
}

before(async () => {
  context = await openTestApp({ EGRESS: 'any', HOST: '0.0.0.0' })
  deliveries = openDeliveries(context)
  mine = await newOwner()
  theirs = await newOwner()
})
after(async () => {
  await deliveries.close()
  await context.close()
})

const send = (url: string, { token } = mine, method: 'GET' | 'POST' = 'GET', payload?: object) =>
  context.app.inject({ method, url, headers: { authorization: `Bearer ${token}` }, ...(payload && { payload }) })

const list = async (query = '', caller = mine): Promise<Page> => {
  const response = await send(`/webhook-deliveries${query}`, caller)
  assertKept(listWebhookDeliveries, response)
  assert.equal(response.statusCode, 200, response.body)
  return bodyOf<Page>(response)
}

const idsOf = ({ data }: Page) => data.map(({ id }) => id)

/** More than any test has. */
const MAX_PAGES = 1000

/** Follows cursors to the end. */
const listAll = async (query: string, caller = mine): Promise<string[]> => {
  const ids: string[] = []
  let cursor: string | null = ''
  for (let pages = 0; cursor !== null; pages += 1) {
    assert.ok(pages < MAX_PAGES, 'the cursors have no end')
    const page: Page = await list(`${query}${cursor && `&cursor=${cursor}`}`, caller)
    ids.push(...idsOf(page))
    cursor = page.next_cursor
  }
  return ids
}

const get = async (id: string, caller = mine) => {
  const response = await send(`/webhook-deliveries/${id}`, caller)
  assertKept(getWebhookDelivery, response)
  return response
}

const read = async (id: string): Promise<WebhookDelivery> => bodyOf<WebhookDelivery>(await get(id))

const announced = async (caller = mine): Promise<Generation> =>
  bodyOf<Generation>(await send('/generate', caller, 'POST', { webhook: { url: 'http://127.0.0.1:9/end' } }))

/** Takes up deliveries until it is this one's turn, and gives up the others. */
const takeUp = async (id: string) => {
  for (let job = await deliveries.take(); ; job = await deliveries.take()) {
    if (job.id === id) return job
    await deliveries.giveUp(job)
  }
}

const add = (createdAt?: number, caller = mine) => deliveries.add({ owner: caller.owner }, createdAt)

test('a delivery that waits for its generation says so, and announces nothing yet', async () => {
  const { id, created_at } = await announced()
  const delivery = await read(terminalDeliveryId(id))
  assert.deepEqual(delivery, {
    id: terminalDeliveryId(id),
    generation_id: id,
    event: null,
    url: 'http://127.0.0.1:9/end',
    status: 'waiting',
    attempts: [],
    next_attempt_at: null,
    created_at,
    completed_at: null,
    expires_at: null
  })
})

test('the event of a generation that has ended is known before it is delivered, and after the generation is not kept', async () => {
  const { id } = await announced()
  const canceled = await send(`/generations/${id}/cancel`, mine, 'POST')
  assert.equal(bodyOf<Generation>(canceled).status, 'canceled')
  const delivery = await read(terminalDeliveryId(id))
  assert.deepEqual([delivery.status, delivery.event], ['pending', 'generation.canceled'])
  await deliveries.giveUp(await deliveries.take())
  const given = await read(terminalDeliveryId(id))
  assert.deepEqual([given.status, given.event], ['failed', 'generation.canceled'])
})

test('what BullMQ keeps of an ended generation names the event where the generation itself is gone', async () => {
  const metrics = { sample_ms: 1, scale_ms: null, decode_ms: null, encode_ms: null, upload_ms: null, batch_size: null }
  await context.queue.drain()
  const outcomes = [{ outcome: 'succeeded', outputs: [], metrics }, { outcome: 'expired' }, new Error('broken')]
  const worker = await context.runner(async () => {
    const outcome = outcomes.shift()
    if (outcome instanceof Error) throw Object.assign(outcome, { name: 'UnrecoverableError' })
    return outcome
  })
  for (const event of ['generation.succeeded', 'generation.expired', 'generation.failed']) {
    const { id } = await announced()
    const job = await takeUp(terminalDeliveryId(id))
    await context.queue.remove(id)
    assert.equal((await read(terminalDeliveryId(id))).event, event)
    await deliveries.giveUp(job)
  }
  await worker.close()
})

test('the generation shows how far the announcement of its end has come', async () => {
  const { id, webhook } = await announced()
  const stateOf = async () => bodyOf<Generation>(await send(`/generations/${id}`)).webhook
  assert.deepEqual([webhook?.status, (await stateOf())?.status], ['waiting', 'waiting'])
  await send(`/generations/${id}/cancel`, mine, 'POST')
  assert.equal((await stateOf())?.status, 'pending')
  await deliveries.deliver(await takeUp(terminalDeliveryId(id)), { event: 'generation.canceled' })
  const state = await stateOf()
  assert.deepEqual([state?.status, state?.attempts, state?.delivery_id], ['delivered', 1, terminalDeliveryId(id)])
})

test('attempts, the next one and the time until which it is kept are shown', async () => {
  const id = await add()
  const from = Date.now()
  await deliveries.retryLater(await deliveries.take())
  const delayed = await read(id)
  assert.deepEqual([delayed.status, delayed.event, delayed.attempts], ['pending', 'webhook.test', [ATTEMPT]])
  assert.ok(Date.parse(delayed.next_attempt_at ?? '') >= from + RETRY_DELAY_MS)
  await deliveries.queue.promoteJobs()
  assert.equal((await read(id)).next_attempt_at, null)
  await deliveries.deliver(await deliveries.take())
  const { status, attempts, completed_at, expires_at } = await read(id)
  assert.deepEqual([status, attempts.map(({ outcome }) => outcome)], ['delivered', ['rejected', 'delivered']])
  assert.equal(Date.parse(expires_at ?? '') - Date.parse(completed_at ?? ''), 30 * DAY_MS)
})

test('what is someone else’s, unknown, malformed or past its time is a 404', async () => {
  const id = await add()
  const past = await add()
  for (const _ of [id, past]) await deliveries.deliver(await deliveries.take())
  await context.redis.hset(deliveries.queue.toKey(past), 'finishedOn', Date.now() - 30 * DAY_MS)
  assert.equal((await get(id)).statusCode, 200)
  const answers = [await get(id, theirs), await get(newTestDeliveryId()), await get('whd_none'), await get(past)]
  for (const answer of answers) {
    assert.equal(answer.statusCode, 404)
    assert.equal(bodyOf<Problem>(answer).code, 'delivery_not_found')
  }
  assert.ok(!(await listAll('?limit=100')).includes(past))
})

test('pages are newest first and hold every delivery of the owner once, also those of one millisecond', async () => {
  const caller = await newOwner()
  const now = Date.now()
  const ids: string[] = []
  for (let index = 0; index < 23; index += 1) ids.push(await add(now - Math.floor(index / 5), caller))
  await add(now, theirs)
  for (const limit of [1, 5, 7, 23, 100]) assert.deepEqual((await listAll(`?limit=${limit}`, caller)).toSorted(), ids.toSorted())
  const { data, next_cursor } = await list('?limit=23', caller)
  assert.equal(next_cursor, null)
  const times = data.map(({ created_at }) => created_at)
  assert.deepEqual(times, times.toSorted().toReversed())
  assert.equal((await list('', caller)).data.length, 20)
  await deliveries.queue.drain()
})

test('the filter by status looks at a bounded part, and goes on with the next page', async () => {
  const caller = await newOwner()
  const now = Date.now()
  const [delivered, failed, skipped, delayed, due] = [1, 2, 3, 4, 5].map((age) => add(now - age, caller))
  await Promise.all([delivered, failed, skipped, delayed, due])
  const byId = new Map<string, Parameters<typeof deliveries.deliver>[0]>()
  for (let taken = 0; taken < 5; taken += 1) {
    const job = await deliveries.take()
    byId.set(job.id ?? '', job)
  }
  const jobOf = async (id: Promise<string> | undefined) => byId.get((await id) ?? '') ?? assert.fail()
  await deliveries.deliver(await jobOf(delivered))
  await deliveries.giveUp(await jobOf(failed))
  await deliveries.deliver(await jobOf(skipped), { outcome: 'skipped' })
  await deliveries.retryLater(await jobOf(delayed))
  const waiting = terminalDeliveryId((await announced(caller)).id)
  const expected: [DeliveryStatus, (string | undefined)[]][] = [
    ['delivered', [await delivered]],
    ['failed', [await failed]],
    ['skipped', [await skipped]],
    ['pending', [await delayed, await due]],
    ['waiting', [waiting]]
  ]
  for (const [status, ids] of expected) assert.deepEqual(await listAll(`?status=${status}`, caller), ids, status)
  const gone = Array.from({ length: 1200 }, (_, index) => [now + 1000 + index, newTestDeliveryId()]).flat()
  await context.redis.zadd(context.keys.deliveries(caller.owner), ...gone)
  const first = await list('?status=delivered', caller)
  assert.deepEqual(first.data, [])
  assert.notEqual(first.next_cursor, null)
  assert.deepEqual(await listAll('?status=delivered', caller), [await delivered])
})

test('the filter by generation gives its end and its events on the way, newest first, to its owner alone', async () => {
  const { id } = await announced()
  await announced()
  const live: string[] = []
  for (const [age, part] of ['first', 'second', 'third'].entries()) {
    const deliveryId = liveDeliveryId(id, 'generation.progress', part)
    const at = Date.now() + age
    const data = { version: 1, owner: mine.owner, generation_id: id, url: 'http://127.0.0.1:9/', base: '' } as const
    await deliveries.queue.add('deliver-webhook', { ...data, event: 'generation.progress' }, { jobId: deliveryId, timestamp: at })
    await context.redis.zadd(context.keys.liveDeliveries(id), at, deliveryId)
    live.unshift(deliveryId)
  }
  for (const limit of [1, 2, 3, 4, 100])
    assert.deepEqual(await listAll(`?generation_id=${id}&limit=${limit}`), [...live, terminalDeliveryId(id)])
  assert.deepEqual(await listAll(`?generation_id=${id}&status=waiting`), [terminalDeliveryId(id)])
  assert.deepEqual(await list(`?generation_id=${id}`, theirs), { data: [], next_cursor: null })
  assert.deepEqual(await list(`?generation_id=${newGenerationId()}`), { data: [], next_cursor: null })
  await deliveries.queue.drain()
})

test('entries whose delivery is gone leave the index, except those that may just be made', async () => {
  const caller = await newOwner()
  const key = context.keys.deliveries(caller.owner)
  const [old, fresh] = [newTestDeliveryId(), newTestDeliveryId()]
  await context.redis.zadd(key, Date.now() - 120_000, old, Date.now(), fresh)
  const kept = await add(Date.now() - 120_000, caller)
  await until('the old one has left', async () => {
    assert.deepEqual(idsOf(await list('', caller)), [kept])
    return (await context.redis.zscore(key, old)) === null
  })
  assert.deepEqual(await context.redis.zrange(key, '0', '-1'), [kept, fresh])
})

test('a cursor this server did not write, or wrote for another list, is refused', async () => {
  const own = encodeCursor({ score: 5, id: newTestDeliveryId() })
  const other = encodeCursor({ score: 5, id: newGenerationId() })
  for (const cursor of ['x', `${own}x`, other]) {
    const response = await send(`/webhook-deliveries?cursor=${cursor}`)
    assertKept(listWebhookDeliveries, response)
    assert.deepEqual([response.statusCode, bodyOf<Problem>(response).code], [400, 'invalid_cursor'])
    assert.equal(bodyOf<Problem>(response).errors[0]?.pointer, '/query/cursor')
  }
  assert.deepEqual((await list(`?cursor=${own}`)).data, [])
})
