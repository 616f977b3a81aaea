import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { CancelMark, cancelGeneration, deleteGeneration, type Generation } from '@nextscale/openapi'
import { Redis } from 'ioredis'
import { cancel as cancelOne } from '../../generations/cancel.ts'
import { openGenerations } from '../../generations/open.ts'
import { jsonParserOf } from '../../parser.ts'
import { connectProducer } from '../../redis/connect.ts'
import { assertKept } from '../../testing/contract.ts'
import { bodyOf, openTestApp, type TestApp } from '../../testing/test-app.ts'

let context: TestApp
before(async () => {
  context = await openTestApp()
})
after(() => context.close())

const cancel = async (id: string): Promise<Generation> => {
  const response = await context.app.inject({ method: 'POST', url: `/generations/${id}/cancel` })
  assertKept(cancelGeneration, response)
  return bodyOf<Generation>(response)
}

const read = async (id: string): Promise<Generation> => bodyOf<Generation>(await context.app.inject(`/generations/${id}`))

test('one that waits is canceled at once, leaves the queue and can still be read', async () => {
  const { id, created_at } = await context.generate({ label: 'mine' })
  const canceled = await cancel(id)
  assert.equal(canceled.status, 'canceled')
  assert.equal(await context.queue.getJob(id), undefined)
  const later = await read(id)
  // The token in the link to events is of the second in which it is read.
  const withoutToken = ({ urls, ...rest }: typeof later) => ({ ...rest, urls: { ...urls, events: urls.events.split('?')[0] } })
  assert.deepEqual(withoutToken(later), withoutToken(canceled))
  assert.equal(later.created_at, created_at)
  assert.equal(later.label, 'mine')
  assert.ok(Math.abs(Date.parse(later.completed_at ?? '') - Date.now()) < 5000)
})

test('the mark is one runners can read, expires, and is announced', async () => {
  const listener = new Redis(context.server.url)
  await listener.subscribe(context.keys.cancelChannel)
  const { id } = await context.generate()
  const announced = once(listener, 'message')
  await cancel(id)
  assert.deepEqual(await announced, [context.keys.cancelChannel, id])
  const text = (await context.redis.get(context.keys.cancelMark(id))) ?? ''
  assert.equal(jsonParserOf(CancelMark)(text)?.payload.owner, 'local')
  const ttl = await context.redis.ttl(context.keys.cancelMark(id))
  assert.ok(ttl > 30 * 86_400 && ttl <= 31 * 86_400)
  listener.disconnect()
})

test('cancelling twice, and many times at once, is the same as once', async () => {
  const { id } = await context.generate()
  const answers = await Promise.all(Array.from({ length: 8 }, () => cancel(id)))
  answers.push(await cancel(id))
  assert.equal(new Set(answers.map(({ completed_at }) => completed_at)).size, 1)
  assert.ok(answers.every(({ status }) => status === 'canceled'))
})

test('the mark alone makes a waiting job canceled, before anyone has removed it', async () => {
  const { id } = await context.generate()
  const job = await context.queue.getJob(id)
  const mark: CancelMark = { canceled_at: Date.now(), created_at: job?.timestamp ?? 0, payload: job?.data ?? assert.fail() }
  await context.redis.set(context.keys.cancelMark(id), JSON.stringify(mark))
  assert.equal((await read(id)).status, 'canceled')
  await context.queue.remove(id)
})

/** Cancels as a request does that is overtaken by `meanwhile` after its first look. */
const cancelOvertaken = async (id: string, meanwhile: () => Promise<unknown>) => {
  const { app, keys, server } = context
  const redis = connectProducer(server.url, app.log)
  await once(redis, 'ready')
  const { removeMarked, reader } = openGenerations(redis, keys)
  let looks = 0
  const read = async (owner: string, of: string) => {
    const snapshot = await reader.read(owner, of)
    looks += 1
    if (looks === 1) await meanwhile()
    return snapshot
  }
  try {
    return await cancelOne({ redis, removeMarked, keys, reader: { ...reader, read } }, 'local', id)
  } finally {
    redis.disconnect()
  }
}

const finish = async (id: string) => {
  const worker = await context.runner(async () => ({ outcome: 'expired' }))
  assert.equal(bodyOf<Generation>(await context.app.inject(`/generations/${id}?wait=10`)).status, 'expired')
  await worker.close(true)
}

test('one that finishes and is deleted while it is being canceled stays deleted', async () => {
  const { id } = await context.generate()
  const meanwhile = async () => {
    await finish(id)
    assert.equal((await context.app.inject({ method: 'DELETE', url: `/generations/${id}` })).statusCode, 204)
  }
  await assert.rejects(cancelOvertaken(id, meanwhile), { code: 'generation_gone' })
  assert.equal(await context.redis.exists(context.keys.cancelMark(id)), 0)
  assert.equal((await context.app.inject(`/generations/${id}`)).statusCode, 410)
})

test('one that finishes while it is being canceled is as it finished, without a mark', async () => {
  const { id } = await context.generate()
  const { standing } = await cancelOvertaken(id, () => finish(id))
  assert.equal(standing.status, 'expired')
  assert.equal(await context.redis.exists(context.keys.cancelMark(id)), 0)
})

test('cancel takes an empty body with or without a content type', async () => {
  const { id } = await context.generate()
  for (const headers of [{}, { 'content-type': 'application/json' }]) {
    const response = await context.app.inject({ method: 'POST', url: `/v1/generations/${id}/cancel`, headers })
    assert.equal(response.statusCode, 200)
  }
})

test('a running one is canceling until its runner ends it, and cannot be deleted before', async () => {
  let release = () => {}
  const started = new Promise<void>((resolve) => {
    void context.runner(async () => {
      resolve()
      await new Promise<void>((finish) => (release = finish))
      return { outcome: 'canceled' }
    })
  })
  const { id } = await context.generate()
  await started
  assert.equal((await cancel(id)).status, 'canceling')
  assert.equal((await read(id)).status, 'canceling')
  const refused = await context.app.inject({ method: 'DELETE', url: `/generations/${id}` })
  assertKept(deleteGeneration, refused)
  assert.equal(refused.statusCode, 409)
  release()
  const waited = await context.app.inject(`/generations/${id}?wait=10`)
  const canceled = bodyOf<Generation>(waited)
  assert.equal(canceled.status, 'canceled')
  assert.ok(canceled.started_at !== null)
  assert.deepEqual(await cancel(id), canceled)
})

test('cancelling what never was is a 404', async () => {
  const response = await context.app.inject({ method: 'POST', url: '/generations/gen_aaaaaaaaaaaaaaaaaaaaaaaaaa/cancel' })
  assertKept(cancelGeneration, response)
  assert.equal(response.statusCode, 404)
})
