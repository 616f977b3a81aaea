import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import {
  type GenerateImagePayload,
  GenerateImageProgress,
  type GenerateImageResult,
  GenerationError,
  generateImageJob,
  redisKeys
} from '@nextscale/openapi'
import { startRedis, until, temporaryFolder } from '@nextscale/platform/testing'
import { Queue, Worker } from 'bullmq'
import { pino } from 'pino'
import { Compile } from 'typebox/compile'
import { keyOf, type ModelRef } from '../model/model-ref.ts'
import type { ServedModel } from '../families/family.ts'
import { JobError } from '../errors.ts'
import { openServedModel } from '../families/open-served-model.ts'
import { openDiskStore } from '@nextscale/platform/object-store'
import type { BatchSampler } from '../observe/observe-sampler.ts'
import { Sampler } from '../sampler/sampler.ts'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { SILENT } from './announce-events.ts'
import { createBatcher } from './batcher.ts'
import { HANDLERS } from './kinds/table.ts'
import { createTakeUp, type TakeUp } from './take-up.ts'
import { startWorker } from './worker.ts'

const LOCK_MS = 1000
const MAX_BATCH = 4
const log = pino({ level: 'silent' })
const keys = redisKeys('test')
const parseError = Compile(GenerationError)
const parseProgress = Compile(GenerateImageProgress)

let model: ServedModel
let sampler: Sampler
before(async () => {
  model = await openServedModel(SHIPPED_MODEL)
  const form = { form: 'step', threads: 2, precision: null, cache: null } as const
  sampler = await Sampler.start([model], { form, timeoutMs: 60_000, log })
})
after(() => sampler.close())

const payload = (changes: Partial<GenerateImagePayload['input']> = {}): GenerateImagePayload => ({
  version: 1,
  owner: 'local',
  metadata: {},
  label: null,
  input: {
    model: model.id,
    model_revision: model.revision,
    class_label: 2,
    class_name: 'fox',
    num_images: 1,
    seed: 1,
    cfg: 3,
    top_k: 200,
    top_p: 0.95,
    output: { format: 'png', quality: null, metadata: true },
    priority: 'normal',
    ...changes
  }
})

/** Holds the first generations back until so many are taken up, so that they share a batch. */
const together = (takeUp: TakeUp, count: number): TakeUp => {
  const all = Promise.withResolvers<void>()
  let taken = 0
  return async (...generation) => {
    const known = await takeUp(...generation)
    if (++taken >= count) all.resolve()
    await all.promise
    return known
  }
}

/** A queue, with the means to run workers on it; all ends with the test. */
const open = async (t: TestContext) => {
  const server = await startRedis()
  const folder = await temporaryFolder(t)
  const options = { connection: server.connect(), prefix: keys.bullmq }
  const queue = new Queue<GenerateImagePayload, GenerateImageResult>(generateImageJob.queue, options)
  const workers: ReturnType<typeof startWorker>[] = []
  const batches: number[] = []
  const work = async (batchSampler: BatchSampler = sampler, serves: ModelRef[] = [model], first = 1) => {
    const connection = server.connect()
    const counted: BatchSampler = {
      sample: (batch) => {
        batches.push(batch.images.length)
        return batchSampler.sample(batch)
      }
    }
    const context = {
      handlers: HANDLERS,
      models: new Map(serves.map((ref) => [keyOf(ref), { ...model, ...ref }])),
      batcher: createBatcher(counted, { maxBatch: MAX_BATCH, windowMs: 0 }),
      store: await openDiskStore({ kind: 'disk', directory: folder, linkSecret: undefined, linkTtlSeconds: 60 }, 'writing'),
      cancels: { isCanceled: async () => false, watch: () => () => undefined, check: () => undefined },
      form: 'step',
      takeUp: together(createTakeUp(connection, keys, 'default'), first),
      liveEvents: { of: () => SILENT, settled: () => Promise.resolve() },
      log
    } as const
    const times = { lockDurationMs: LOCK_MS, stalledIntervalMs: 100, graceMs: 0 }
    const holds = { concurrency: 32, maxImages: 2 * MAX_BATCH }
    const observer = { batch: () => undefined, attempt: () => undefined }
    const worker = startWorker({ connection, keys, pool: 'default', ...holds, ...times }, context, log, observer)
    workers.push(worker)
    return worker
  }
  t.after(async () => {
    for (const worker of workers) await worker.stop()
    await queue.close()
    await server.stop()
  })
  let added = 0
  const add = async (changes: Parameters<typeof payload>[0] = {}): Promise<string> => {
    const { queue: name, attempts, backoff } = generateImageJob
    const jobId = `gen_${String.fromCharCode(97 + added++).repeat(26)}`
    await queue.add(name, payload(changes), { jobId, attempts, backoff, priority: added })
    return jobId
  }
  const job = async (id: string) => {
    const found = await queue.getJob(id)
    assert.ok(found, id)
    return found
  }
  const ended = async (id: string) => ['completed', 'failed'].includes(await queue.getJobState(id))
  return { server, queue, batches, work, add, job, ended }
}

/** The sampler, whose process is killed whenever it draws a picture with the seed. */
const killedBy = (seed: number): BatchSampler => ({
  sample: (batch) =>
    sampler.sample({
      ...batch,
      onScale: (scale, elapsedMs) => {
        if (scale === 1 && batch.images.some((image) => 'seed' in image && image.seed === seed) && sampler.pid !== undefined)
          process.kill(sampler.pid, 'SIGKILL')
        batch.onScale(scale, elapsedMs)
      }
    })
})

test('a picture that kills its sampler ends after three tries, alone but for the first; its mates are made at once', async (t) => {
  const { queue, batches, work, add, job, ended } = await open(t)
  const ids = await Promise.all([1, 666, 3, 4].map((seed) => add({ seed })))
  const [, culprit = ''] = ids
  await work(killedBy(666), [model], ids.length)
  await until('all have ended', async () => (await Promise.all(ids.map(ended))).every(Boolean), { deadlineMs: 60_000 })
  for (const id of ids) {
    const { attemptsMade, failedReason, returnvalue } = await job(id)
    if (id === culprit) {
      const error: unknown = JSON.parse(failedReason)
      assert.ok(parseError.Check(error))
      assert.deepEqual([error.code, attemptsMade], ['sampler_crashed', 3])
    } else assert.deepEqual([returnvalue?.outcome, attemptsMade], ['succeeded', 1])
  }
  // Halves of the first batch find it; then it is by itself, twice.
  assert.deepEqual(batches, [4, 2, 1, 1, 2, 1, 1])
  assert.equal(await queue.getFailedCount(), 1)
})

test('outages before it count nothing: an own fault is the first', async (t) => {
  const { server, work, add, job, ended } = await open(t)
  const id = await add({ seed: 666 })
  // As if a store had been away for all the attempts that an earlier release allowed.
  await server.redis.hset(keys.job(generateImageJob.queue, id), 'atm', 12)
  await work(killedBy(666))
  await until('it has ended', () => ended(id), { deadlineMs: 60_000 })
  assert.equal((await job(id)).attemptsMade, 15)
})

test('a runner that starts on a backlog takes as many pictures as its limit is, and no more', async (t) => {
  const { queue, server, work, add, ended } = await open(t)
  const ids = await Promise.all(Array.from({ length: 12 }, (_, seed) => add({ seed, num_images: 4 })))
  let most = 0
  await work()
  const look = async () => {
    most = Math.max(most, await server.redis.llen(queue.toKey('active')))
    return (await Promise.all(ids.map(ended))).every(Boolean)
  }
  await until('all have ended', look, { deadlineMs: 60_000, againMs: 1 })
  assert.equal(most, 2)
})

test('one whose revision is not served here is put aside, says so, and is made as soon as a runner serves it', async (t) => {
  const { server, queue, work, add, job, ended } = await open(t)
  const old = { id: model.id, revision: 'old' }
  const id = await add({ model_revision: old.revision })
  const here = await add()
  const wrong = await work()
  await until('it is put aside', async () => (await queue.getJobState(id)) === 'delayed')
  await until('the other is made', () => ended(here))
  const { attemptsMade, progress, processedOn } = await job(id)
  assert.ok(parseProgress.Check(progress))
  assert.deepEqual([attemptsMade, progress.stage, processedOn], [0, 'waiting_for_model', undefined])
  assert.match(progress.message ?? '', /waits for a runner that serves revision old of emoji-32/)
  assert.deepEqual(await server.redis.zrange(keys.unserved, '0', '-1'), ['emoji-32@old'])
  assert.deepEqual(await server.redis.zrange(keys.putAside(old.id, old.revision), '0', '-1'), [id])
  await wrong.stop()
  // One that serves both revisions, of which requests are offered another.
  const renamed: BatchSampler = { sample: (batch) => sampler.sample({ ...batch, model }) }
  await work(renamed, [model, old])
  await until('it is made', () => ended(id))
  assert.equal((await job(id)).returnvalue?.outcome, 'succeeded')
  assert.equal(await server.redis.zcard(keys.putAside(old.id, old.revision)), 0)
})

for (const [code, stage, message] of [
  ['model_load_failed', 'waiting_for_model', /model could not be loaded on the runner that took it up last\. It is tried again/],
  ['object_store_unavailable', 'queued', /object store could not be used\. It is tried again/]
] as const) {
  test(`one that is tried again after ${code} says what it waits for, and keeps why its attempt failed`, async (t) => {
    const { queue, work, add, job } = await open(t)
    await work({
      sample: () => ({ result: Promise.reject(new JobError(code, 'It could not be done.')), drop: () => undefined })
    })
    const id = await add()
    await until('it waits', async () => (await queue.getJobState(id)) === 'delayed')
    const { progress, failedReason, attemptsStarted } = await job(id)
    assert.ok(parseProgress.Check(progress))
    assert.deepEqual([progress.stage, progress.progress, progress.run], [stage, null, attemptsStarted])
    assert.match(progress.message ?? '', message)
    const reason: unknown = JSON.parse(failedReason)
    assert.ok(parseError.Check(reason))
    assert.equal(reason.code, code)
  })
}

test('where a runner that lives serves it, one that does not hands it on at once, however often it gets it', async (t) => {
  const { server, work, add, job, ended } = await open(t)
  const other = { id: model.id, revision: 'other' }
  const card = (id: string, revision: string) =>
    JSON.stringify({
      id,
      version: '0.1.0',
      started_at: new Date().toISOString(),
      announced_at: new Date().toISOString(),
      max_batch: MAX_BATCH,
      models: [{ id: model.id, revision, image_ms: null, latency_ms: null }]
    })
  await server.redis.hset(keys.runners, 'ours', card('ours', model.revision), 'theirs', card('theirs', other.revision))
  await work()
  const renamed: BatchSampler = { sample: (batch) => sampler.sample({ ...batch, model }) }
  await work(renamed, [other])
  const ids = await Promise.all(
    Array.from({ length: 12 }, (_, seed) => add({ seed, model_revision: seed % 2 === 0 ? other.revision : model.revision }))
  )
  const begun = performance.now()
  await until('all are made', async () => (await Promise.all(ids.map(ended))).every(Boolean))
  // Put aside as where nobody serves them, some would be for half a minute.
  assert.ok(performance.now() - begun < 10_000)
  for (const id of ids) assert.equal((await job(id)).returnvalue?.outcome, 'succeeded')
  assert.equal(await server.redis.zcard(keys.unserved), 0)
})

test('what fails while the runner is told to stop is handed back, whatever it is', async (t) => {
  const { queue, work, add, job } = await open(t)
  const id = await add({ num_images: 4, seed: 600 })
  const going = Promise.withResolvers<void>()
  const never: BatchSampler = {
    sample: () => {
      going.resolve()
      return { result: stopped.promise, drop: () => undefined }
    }
  }
  const stopped = Promise.withResolvers<never>()
  const worker = await work(never)
  await going.promise
  const stopping = worker.stop()
  stopped.reject(new Error('the whole group was told to end'))
  assert.equal(await stopping, 'stopped')
  assert.deepEqual([await queue.getJobState(id), (await job(id)).attemptsMade], ['prioritized', 0])
})

test('jobs of an earlier release allow fewer attempts, and get as many as others', async (t) => {
  const { queue, work, job, ended } = await open(t)
  const id = `gen_${'z'.repeat(26)}`
  await queue.add(generateImageJob.queue, payload({ seed: 666 }), { jobId: id, attempts: 1, backoff: { type: 'custom' } })
  await work(killedBy(666))
  await until('it has ended', () => ended(id), { deadlineMs: 60_000 })
  assert.equal((await job(id)).attemptsMade, 3)
})

test('a worker of BullMQ’s own finds nothing to fail in what lost its runner often', async (t) => {
  const { server, queue, work, add, ended, job } = await open(t)
  const id = await add()
  const lost = new Worker(generateImageJob.queue, null, { connection: server.connect(), prefix: keys.bullmq, lockDuration: 100 })
  t.after(() => lost.close(true))
  assert.equal((await lost.getNextJob('lost', { block: false }))?.id, id)
  await server.redis.hset(keys.job(generateImageJob.queue, id), 'stc', 9)
  await work()
  await until('it is made', () => ended(id))
  assert.equal((await job(id)).returnvalue?.outcome, 'succeeded')
  assert.equal(await queue.getFailedCount(), 0)
})
