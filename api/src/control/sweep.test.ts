import assert from 'node:assert/strict'
import { access, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { type Generation, generationPrefix, pictureKey, previewKey, tokensKey } from '@nextscale/openapi'
import { UnrecoverableError } from 'bullmq'
import { newGenerationId } from '../generations/id.ts'
import { openDiskStore } from '@nextscale/platform/object-store'
import type { ObjectStore } from '@nextscale/platform/object-store'
import { bodyOf, openTestApp, type TestApp } from '../testing/test-app.ts'
import { type SweepContext, sweepExpired } from './sweep.ts'

let context: TestApp
let store: ObjectStore
let failures: string[] = []
before(async () => {
  context = await openTestApp()
  store = await openDiskStore({ kind: 'disk', directory: context.directory, linkSecret: undefined, linkTtlSeconds: 60 }, 'links')
  await context.runner(async (job) => {
    const id = job.id ?? ''
    await context.redis.zadd(context.keys.expiry, Date.now() + 1000 * (job.data.input.retention_seconds ?? 0), id)
    await mkdir(join(context.directory, generationPrefix(id)), { recursive: true })
    for (const key of [pictureKey(id, 0, 'png'), tokensKey(id, 0), previewKey(id, 0, 1)]) {
      await writeFile(join(context.directory, key), 'something')
    }
    if (job.data.label === 'fails') throw new UnrecoverableError('no')
    const metrics = { sample_ms: 1, scale_ms: null, decode_ms: null, encode_ms: null, upload_ms: null, batch_size: null }
    const key = pictureKey(id, 0, 'png')
    const output = { index: 0, seed: 7, key, content_type: 'image/png', width: 32, height: 32, bytes: 9, sha256: 'a'.repeat(64) }
    return { outcome: 'succeeded', outputs: [output], metrics }
  })
})
after(() => context.close())
afterEach(() => (failures = []))

const { signal } = new AbortController()
const sweep = (secondsFromNow: number, changes: Partial<SweepContext> = {}) =>
  sweepExpired({
    ...context,
    store,
    signal,
    againMs: 30_000,
    now: () => Date.now() + secondsFromNow * 1000,
    onError: (id) => void failures.push(id),
    ...changes
  })

const make = async (body: Record<string, unknown>): Promise<Generation> => {
  const { id } = await context.generate(body)
  return bodyOf<Generation>(await context.app.inject(`/generations/${id}?wait=10`))
}

const hasFiles = (id: string) =>
  access(join(context.directory, generationPrefix(id))).then(
    () => true,
    () => false
  )
const hasJob = async (id: string) => (await context.queue.getJob(id)) !== undefined
const isListed = async (id: string) => (await context.redis.zscore(context.keys.expiry, id)) !== null
const leftOf = async (id: string) => [await hasFiles(id), await hasJob(id), await isListed(id)]

test('objects and job of a generation go when its own retention is over, and not before', async () => {
  const short = await make({ retention_seconds: 100 })
  const long = await make({ retention_seconds: 200_000 })
  assert.equal(Date.parse(short.expires_at ?? '') - Date.parse(short.completed_at ?? ''), 100_000)
  await sweep(90)
  assert.deepEqual(await leftOf(short.id), [true, true, true])
  await sweep(101)
  assert.deepEqual(await leftOf(short.id), [false, false, false])
  assert.equal((await context.app.inject(`/generations/${short.id}`)).statusCode, 410)
  await sweep(199_000)
  assert.deepEqual(await leftOf(long.id), [true, true, true])
  assert.equal((await context.app.inject(`/generations/${long.id}`)).statusCode, 200)
  assert.deepEqual(failures, [])
})

test('a job of short retention that finishes does not take those of longer retention with it', async () => {
  const long = await make({})
  await context.redis.zadd(context.queue.toKey('completed'), Date.now() - 7200_000, long.id)
  await make({ retention_seconds: 1 })
  assert.equal(await hasJob(long.id), true)
})

test('links end with the retention', async () => {
  const { outputs, expires_at } = await make({ retention_seconds: 5 })
  assert.ok(Date.parse(outputs[0]?.url_expires_at ?? '') <= Date.parse(expires_at ?? ''))
})

test('what a generation stored before it failed goes with it', async () => {
  const failed = await make({ label: 'fails', retention_seconds: 10 })
  assert.equal(failed.status, 'failed')
  assert.deepEqual(await leftOf(failed.id), [true, true, true])
  await sweep(11)
  assert.deepEqual(await leftOf(failed.id), [false, false, false])
})

test('one that is not finished when it was expected to be is left alone until it is', async () => {
  const { id } = await make({ retention_seconds: 10 })
  await context.redis.hdel(context.queue.toKey(id), 'finishedOn')
  await sweep(20)
  assert.deepEqual(await leftOf(id), [true, true, true])
  await context.redis.hset(context.queue.toKey(id), 'finishedOn', String(Date.now()))
  await sweep(60)
  assert.deepEqual(await leftOf(id), [false, false, false])
})

test('what a deleted or evicted job left is removed', async () => {
  const { id } = await make({ retention_seconds: 10 })
  await context.queue.remove(id)
  await sweep(11)
  assert.deepEqual(await leftOf(id), [false, false, false])
})

test('deleting a generation takes it off the list', async () => {
  const { id } = await make({})
  await context.app.inject({ method: 'DELETE', url: `/generations/${id}` })
  assert.deepEqual(await leftOf(id), [false, false, false])
})

test('several processes may sweep at once, over more than a page', async () => {
  const past = Array.from({ length: 250 }, () => [1, newGenerationId()])
  await context.redis.zadd(context.keys.expiry, ...past.flat())
  const anywhere: ObjectStore = { ...store, remove: async () => undefined }
  await Promise.all([sweep(0, { store: anywhere }), sweep(0, { store: anywhere }), sweep(0, { store: anywhere })])
  assert.equal(await context.redis.zcount(context.keys.expiry, '-inf', 1), 0)
  assert.deepEqual(failures, [])
})

test('while the store is away nothing is forgotten; when it is back, all goes', async () => {
  const made = [await make({ retention_seconds: 1 }), await make({ retention_seconds: 1 })]
  const away: ObjectStore = { ...store, remove: () => Promise.reject(new Error('away')) }
  await sweep(2, { store: away })
  assert.equal(failures.length, 2)
  for (const { id } of made) assert.deepEqual(await leftOf(id), [true, true, true])
  await sweep(40)
  for (const { id } of made) assert.deepEqual(await leftOf(id), [false, false, false])
})
