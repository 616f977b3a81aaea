import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createGeneration, type Generation, type Problem } from '@nextscale/openapi'
import { createEnqueue } from '../../generations/enqueue.ts'
import { keyedGenerationId } from '../../generations/id.ts'
import { openDeliveryQueue, openPoolQueues } from '../../pools/queues.ts'
import { connectProducer } from '../../redis/connect.ts'
import { assertKept } from '../../testing/contract.ts'
import { modelCard } from '../../testing/model-card.ts'
import { bodyOf, openTestApp, type TestApp } from '../../testing/test-app.ts'

let context: TestApp
before(async () => {
  context = await openTestApp()
})
after(() => context.close())

const sendUnchecked = (key: string, payload: object) =>
  context.app.inject({ method: 'POST', url: '/generate', headers: { 'idempotency-key': key }, payload })

const send = async (key: string, body: object = {}) => {
  const response = await sendUnchecked(key, body)
  assertKept(createGeneration, response)
  return response
}

const isReplay = (response: { headers: Record<string, unknown> }) => response.headers['idempotency-replayed'] === 'true'
const codeOf = (response: { json(): unknown }) => bodyOf<Problem>(response).code
const jobs = () => context.queue.getJobCounts()

test('a hundred equal posts at once make one generation and are ninety-nine replays of it', async () => {
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => sendUnchecked('hundred', { class_name: 'robot', class_label: 2 }))
  )
  assert.equal(answers.filter(isReplay).length, 99)
  assert.deepEqual([...new Set(answers.map(({ statusCode }) => statusCode))], [202])
  const generations = answers.map((answer) => bodyOf<Generation>(answer))
  assert.equal(new Set(generations.map(({ id, input }) => `${id} ${input.seed}`)).size, 1)
  assert.equal(new Set(answers.map(({ headers }) => headers['location'])).size, 1)
  const listed = bodyOf<{ data: Generation[] }>(await context.app.inject('/generations'))
  assert.equal(listed.data.filter(({ id }) => id === generations[0]?.id).length, 1)
  assert.equal((await jobs())['prioritized'], 1)
})

test('the order of fields and the default format do not make another request; anything else does', async () => {
  const first = await send('order', { class_label: 1, seed: 2 })
  assert.equal(isReplay(first), false)
  const again = await send('order', { seed: 2, class_label: 1, output: { format: 'png' } })
  assert.ok(isReplay(again))
  assert.equal(bodyOf<Generation>(again).id, bodyOf<Generation>(first).id)
  const other = await send('order', { class_label: 1, seed: 3 })
  assert.deepEqual([other.statusCode, codeOf(other)], [422, 'idempotency_mismatch'])
  assert.equal(bodyOf<Problem>(other).errors[0]?.pointer, '/headers/idempotency-key')
})

test('of two different requests with one key at once, one is made and the other refused', async () => {
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all([send(`race-${round}`, { seed: 1 }), send(`race-${round}`, { seed: 2 })])
    assert.deepEqual(
      answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b),
      [202, 422]
    )
  }
})

test('a refused request leaves its key free for the corrected one', async () => {
  assert.equal((await send('corrected', { class_label: 99 })).statusCode, 422)
  assert.equal((await send('corrected', { seed: -1 })).statusCode, 400)
  const corrected = await send('corrected', { class_label: 1 })
  assert.deepEqual([corrected.statusCode, isReplay(corrected)], [202, false])
})

test('after a cancel a replay is the canceled generation, and makes no job', async () => {
  const { id } = bodyOf<Generation>(await send('canceled'))
  await context.app.inject({ method: 'POST', url: `/generations/${id}/cancel` })
  assert.equal(await context.queue.getJob(id), undefined)
  const replay = await send('canceled')
  assert.deepEqual([replay.statusCode, isReplay(replay)], [200, true])
  assert.equal(bodyOf<Generation>(replay).status, 'canceled')
  assert.equal((await send('canceled', { seed: 1 })).statusCode, 422)
  assert.equal(await context.queue.getJob(id), undefined)
})

test('after a deletion a replay is 410, and makes nothing', async () => {
  const { id } = bodyOf<Generation>(await send('deleted'))
  await context.app.inject({ method: 'POST', url: `/generations/${id}/cancel` })
  await context.app.inject({ method: 'DELETE', url: `/generations/${id}` })
  const replay = await send('deleted')
  assert.deepEqual([replay.statusCode, codeOf(replay)], [410, 'generation_gone'])
  assert.equal(await context.queue.getJob(id), undefined)
})

test('an add overtaken by cancel and deletion after its first look adds nothing', async () => {
  const { app, keys, queue, redis, server } = context
  const { id } = bodyOf<Generation>(await send('overtaken'))
  const payload = (await queue.getJob(id))?.data ?? assert.fail()
  const own = connectProducer(server.url, app.log)
  await new Promise((resolve) => own.once('ready', resolve))
  const enqueue = createEnqueue({
    redis: own,
    queues: openPoolQueues(own, keys),
    deliveryQueue: openDeliveryQueue(own, keys),
    keys
  })
  assert.equal((await enqueue.addKeyed({ id, pool: 'default', payload, createdAt: 1 })).isNew, false)
  await app.inject({ method: 'POST', url: `/generations/${id}/cancel` })
  assert.deepEqual(
    await enqueue.addKeyed({ id, pool: 'default', payload, createdAt: 1 }).then(({ isNew, snapshot }) => [isNew, snapshot.kind]),
    [false, 'removed']
  )
  await app.inject({ method: 'DELETE', url: `/generations/${id}` })
  assert.deepEqual(await enqueue.addKeyed({ id, pool: 'default', payload, createdAt: 1 }), {
    isNew: false,
    snapshot: { kind: 'gone' }
  })
  assert.equal(await redis.exists(queue.toKey(id)), 0)
  assert.equal(await redis.zscore(queue.toKey('prioritized'), id), null)
  own.disconnect()
})

test('a replay is answered although the model is no longer announced', async () => {
  const body = { model: 'short-lived' }
  const gone = await openTestApp({}, [modelCard({ id: 'short-lived' })])
  try {
    const post = () =>
      gone.app.inject({ method: 'POST', url: '/generate', headers: { 'idempotency-key': 'model' }, payload: body })
    const { id } = bodyOf<Generation>(await post())
    await gone.redis.del(gone.keys.models)
    const replay = await post()
    assert.deepEqual([isReplay(replay), bodyOf<Generation>(replay).id], [true, id])
  } finally {
    await gone.close()
  }
})

test('ids of keys keep the pattern, and those of two owners differ', () => {
  assert.match(keyedGenerationId('a', 'key'), /^gen_[a-z2-7]{26}$/)
  assert.notEqual(keyedGenerationId('a', 'key'), keyedGenerationId('b', 'key'))
})

test('a running and a finished generation are replayed as they are', async () => {
  let release = () => {}
  const started = new Promise<void>((resolve) => {
    void context.runner(async () => {
      resolve()
      await new Promise<void>((finish) => (release = finish))
      return { outcome: 'expired' }
    })
  })
  await started
  const { id } = bodyOf<Generation>(await send('hundred', { class_name: 'robot', class_label: 2 }))
  assert.equal(bodyOf<Generation>(await context.app.inject(`/generations/${id}`)).status, 'running')
  release()
  await context.app.inject(`/generations/${id}?wait=10`)
  const finished = await send('hundred', { class_name: 'robot', class_label: 2 })
  assert.deepEqual([finished.statusCode, bodyOf<Generation>(finished).status], [200, 'expired'])
})
