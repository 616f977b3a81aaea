import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, UnrecoverableError } from 'bullmq'
import { startRedis, until } from '../testing/index.ts'
import { SteadyWorker } from './steady-worker.ts'
import { watchStalls } from './watch-stalls.ts'

const PREFIX = '{test}'
const LOCK_MS = 400
const INTERVAL_MS = 100

type Process = (id: string, signal: AbortSignal | undefined) => Promise<string>

/** A queue with the means to work on it; all ends with the test. */
const open = async (t: TestContext, settings: readonly string[] = []) => {
  const server = await startRedis(undefined, settings)
  const queue = new Queue('work', { connection: server.connect(), prefix: PREFIX })
  queue.on('error', () => undefined)
  const stalled: string[] = []
  const watch = () =>
    watchStalls({
      redis: server.connect(),
      toKey: queue.toKey,
      lockDurationMs: LOCK_MS,
      intervalMs: INTERVAL_MS,
      onStalled: (ids) => stalled.push(...ids),
      onError: () => undefined
    })
  const workers: SteadyWorker[] = []
  const errors: string[] = []
  const work = (process: Process, onTaken?: (id: string) => void) => {
    const worker = new SteadyWorker('work', (job, _token, signal) => process(job.id ?? '', signal), {
      connection: server.connect(),
      prefix: PREFIX,
      lockDuration: LOCK_MS,
      concurrency: 4,
      onTaken: ({ id }) => onTaken?.(id ?? '')
    })
    worker.on('error', ({ message }) => errors.push(message))
    workers.push(worker)
    return worker
  }
  const watches: ReturnType<typeof watch>[] = []
  t.after(async () => {
    server.thaw()
    for (const each of watches) each.stop()
    for (const worker of workers) await worker.close(true)
    await queue.close()
    await server.stop()
  })
  const add = (id: string) => queue.add('job', {}, { jobId: id, priority: 1 })
  const returned = async (id: string) => (await queue.getJob(id))?.returnvalue as unknown
  return { server, queue, stalled, errors, add, returned, work, watch: () => watches.push(watch()) }
}

/** Takes a job as a worker does that is killed right afterwards. */
const takeAndDie = async ({ queue, server }: Awaited<ReturnType<typeof open>>) => {
  const worker = new SteadyWorker('work', () => sleep(60_000), {
    connection: server.connect(),
    prefix: PREFIX,
    lockDuration: LOCK_MS,
    skipLockRenewal: true,
    autorun: false
  })
  const job = await worker.getNextJob('dead', { block: false })
  await worker.close(true)
  assert.equal(await queue.getActiveCount(), 1)
  return job?.id
}

test('a job whose worker is lost is the next to be taken, and may be lost any number of times', async (t) => {
  const context = await open(t)
  const { add, queue, stalled, returned } = context
  context.watch()
  await add('first')
  for (let times = 1; times <= 6; times++) {
    assert.equal(await takeAndDie(context), 'first')
    await until('it waits again', async () => (await queue.getWaitingCount()) === 1)
    await until('whoever watches has heard of it', () => stalled.length >= times)
    assert.deepEqual(
      stalled,
      Array.from({ length: times }, () => 'first')
    )
    if (times === 1) await add('second')
  }
  const taken: string[] = []
  context.work(async (id) => {
    taken.push(id)
    return 'done'
  })
  await until('both are done', async () => (await queue.getCompletedCount()) === 2)
  assert.deepEqual(taken, ['first', 'second'])
  assert.equal(await returned('first'), 'done')
})

test('a Redis that is away for longer than a lock costs no job its worker, whose result is put on record', async (t) => {
  const { add, queue, server, stalled, errors, returned, work, watch } = await open(t)
  watch()
  watch()
  let runs = 0
  const going = Promise.withResolvers<void>()
  const ending = Promise.withResolvers<string>()
  work(async (id) => {
    runs++
    going.resolve()
    return id === 'long' ? ending.promise : sleep(3 * LOCK_MS, 'slept')
  })
  await add('long')
  await add('short')
  await going.promise
  await until('both are taken', () => runs === 2)
  server.freeze()
  await sleep(4 * LOCK_MS)
  server.thaw()
  // Whoever looked for lost jobs while Redis slept has looked by now.
  await until('the short one is done', async () => (await returned('short')) === 'slept')
  await sleep(4 * INTERVAL_MS)
  ending.resolve('made')
  await until('the long one is done', async () => (await queue.getCompletedCount()) === 2)
  assert.equal(await returned('long'), 'made')
  assert.deepEqual([runs, stalled, errors], [2, [], []])
})

test('a job that ends while Redis is away has its end put on record, success or not, at the first try', async (t) => {
  const { add, queue, server, stalled, errors, returned, work, watch } = await open(t)
  watch()
  let runs = 0
  const ending = Promise.withResolvers<void>()
  work(async (id) => {
    runs++
    await ending.promise
    if (id === 'fails') throw new UnrecoverableError('no use')
    return 'made'
  })
  await Promise.all(['succeeds', 'fails'].map(add))
  await until('both are taken', () => runs === 2)
  server.freeze()
  // Their locks are fresh as they end, and run out while what ends them waits for Redis.
  ending.resolve()
  await sleep(3 * LOCK_MS)
  server.thaw()
  await until('both have ended', async () => (await queue.getCompletedCount()) + (await queue.getFailedCount()) === 2)
  assert.equal(await returned('succeeds'), 'made')
  assert.equal((await queue.getJob('fails'))?.failedReason, 'no use')
  assert.deepEqual([runs, stalled, errors], [2, [], []])
})

test('a lock that another worker has by now is not taken back, and the late result is refused', async (t) => {
  const context = await open(t)
  const { add, queue, server, returned, errors } = context
  const ending = Promise.withResolvers<string>()
  let lost: string[] = []
  const worker = context.work(() => ending.promise)
  worker.on('lockRenewalFailed', (ids: string[]) => (lost = ids))
  await add('job')
  await until('it is taken', async () => (await queue.getActiveCount()) === 1)
  // As if it had stalled, and another had begun it.
  await server.redis.hincrby(queue.toKey('job'), 'ats', 1)
  await server.redis.set(`${queue.toKey('job')}:lock`, 'another')
  await until('the first hears of it', () => lost.length > 0)
  assert.deepEqual(lost, ['job'])
  ending.resolve('late')
  await until('the first says that its result was refused', () => errors.some((message) => message.includes('lock')))
  assert.equal(await server.redis.get(`${queue.toKey('job')}:lock`), 'another')
  assert.equal(await returned('job'), null)
})

test('one that waits again is nobody’s: its lock is not taken back', async (t) => {
  const { add, queue, server, work } = await open(t)
  let lost: string[] = []
  const ending = Promise.withResolvers<string>()
  const worker = work(() => ending.promise)
  worker.on('lockRenewalFailed', (ids: string[]) => (lost = ids))
  await add('job')
  await until('it is taken', async () => (await queue.getActiveCount()) === 1)
  // Not given to the same worker again, which would be its right.
  await worker.pause(true)
  await server.redis.lrem(queue.toKey('active'), 1, 'job')
  await server.redis.rpush(queue.toKey('wait'), 'job')
  await server.redis.del(`${queue.toKey('job')}:lock`)
  await until('it is given up', () => lost.length > 0)
  assert.equal(await server.redis.exists(`${queue.toKey('job')}:lock`), 0)
  ending.resolve('late')
})

test('a job that an earlier release had given up for its lost runs is made', async (t) => {
  const { add, queue, server, returned, work } = await open(t)
  await add('job')
  await server.redis.hset(queue.toKey('job'), 'defa', 'job stalled more than allowable limit', 'stc', 4)
  work(async () => 'made')
  await until('it is done', async () => (await returned('job')) === 'made')
})

test('a Redis that is full takes nothing new, and what it holds is worked off', async (t) => {
  const { add, queue, server, work, watch } = await open(t)
  const ids = Array.from({ length: 20 }, (_, index) => `job-${index}`)
  for (const id of ids) await add(id)
  const used = Number(/used_memory:(\d+)/.exec(await server.redis.info('memory'))?.[1])
  await server.redis.config('SET', 'maxmemory', String(used - 1))
  await assert.rejects(server.redis.set('key', 'value'), /OOM/)
  watch()
  work(async () => 'made')
  await until('all are done', async () => (await queue.getCompletedCount()) === ids.length)
  await server.redis.config('SET', 'maxmemory', '1')
  await assert.rejects(add('more'), /OOM/)
})

test('each job is told as it is taken, before the next is asked for', async (t) => {
  const { add, queue, work } = await open(t)
  const ids = Array.from({ length: 12 }, (_, index) => `job-${index}`)
  for (const id of ids) await add(id)
  const seen: number[] = []
  const worker = work(
    () => sleep(20, 'made'),
    () => {
      seen.push(1)
      worker.concurrency = 2
    }
  )
  let most = 0
  await until('all are done', async () => {
    most = Math.max(most, await queue.getActiveCount())
    return (await queue.getCompletedCount()) === ids.length
  })
  assert.equal(seen.length, ids.length)
  assert.ok(most <= 2, `${most} at once`)
})
