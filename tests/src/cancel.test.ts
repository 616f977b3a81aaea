import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Deployment, deploy } from './support/deployment.ts'
import { until } from './support/until.ts'

let service: Deployment
before(async () => {
  service = await deploy({ env: { MAX_BATCH: '1', CONCURRENCY: '1' } })
})
after(() => service.close())

/** Sixteen pictures one after another: long enough to be caught in the act. */
const LONG = { num_images: 16 }
/** Longer still, for a busy machine. */
const LONGER = { ...LONG, previews: [0, 1, 2, 3, 4, 5] }

const storedFor = async (id: string) => readdir(join(service.objects, 'generations', id)).catch(() => [])

test('a queued generation is canceled at once, and its place in the queue is free', async () => {
  const { client } = service
  const busy = await client.generate(LONGER)
  await until('the first runs', async () => (await client.read(busy.id)).status === 'running')
  const queued = await client.generate({})
  const behind = await client.generate({})
  assert.equal((await client.read(behind.id)).queue?.position, 1)
  const canceled = await client.cancel(queued.id)
  assert.equal(canceled.status, 'canceled')
  assert.ok(canceled.completed_at !== null && canceled.started_at === null)
  assert.equal((await client.read(behind.id)).queue?.position, 0)
  await client.cancel(busy.id)
  assert.equal((await client.finish(behind.id)).status, 'succeeded')
  assert.equal((await client.read(queued.id)).status, 'canceled')
  assert.deepEqual(await storedFor(queued.id), [])
})

test('a running generation stops at its next scale, and what waits is taken up', async () => {
  const { client } = service
  const { id } = await client.generate(LONG)
  await until('some tokens are drawn', async () => ((await client.read(id)).progress?.tokens ?? 0) > 155)
  const waiting = await client.generate({})
  const asked = await client.cancel(id)
  assert.ok(['canceling', 'canceled'].includes(asked.status), asked.status)
  const ended = await client.finish(id)
  assert.equal(ended.status, 'canceled')
  assert.ok((ended.progress?.tokens ?? 0) < 16 * 155)
  assert.deepEqual([ended.outputs, await storedFor(id)], [[], []])
  assert.equal((await client.finish(waiting.id)).status, 'succeeded')
})

test('canceling is idempotent, from many callers at once and after the end', async () => {
  const { client } = service
  const { id } = await client.generate(LONG)
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.cancel(id)))
  assert.ok(answers.every(({ status }) => status === 'canceled' || status === 'canceling'))
  assert.equal((await client.finish(id)).status, 'canceled')
  assert.equal((await client.cancel(id)).status, 'canceled')
})

test('a finished generation stays as it is', async () => {
  const { client } = service
  const { id } = await client.generate({})
  const finished = await client.finish(id)
  const after = await client.cancel(id)
  assert.deepEqual([after.status, after.completed_at, after.outputs.length], ['succeeded', finished.completed_at, 1])
})

test('canceling at any moment ends every generation in exactly one terminal state, which does not change', async () => {
  const { client } = service
  const ids = await Promise.all(Array.from({ length: 30 }, async () => (await client.generate({ num_images: 4 })).id))
  await Promise.all(ids.map(async (id, index) => index % 3 && (await client.cancel(id))))
  const ended = await Promise.all(ids.map((id) => client.finish(id)))
  for (const { id, status, outputs } of ended) {
    assert.ok(status === 'succeeded' || status === 'canceled', status)
    for (const { url } of outputs) await client.fetchPicture(url)
    assert.equal((await client.read(id)).status, status)
  }
  assert.ok(ended.filter(({ status }) => status === 'canceled').length >= 10)
})

test('a POST to cancel may come with an empty JSON body', async () => {
  const { id } = await service.client.generate({})
  const response = await service.client.send('post', `/v1/generations/${id}/cancel`, (sent) =>
    sent.set('content-type', 'application/json')
  )
  assert.equal(response.status, 200)
})
