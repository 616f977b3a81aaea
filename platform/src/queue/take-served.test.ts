import assert from 'node:assert/strict'
import { after, before, beforeEach, test, type TestContext } from 'node:test'
import { DEFAULT_POOL, queueOfPool, redisKeys } from '@nextscale/openapi'
import { FlowProducer, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { type RedisServer, startRedis, until } from '../testing/index.ts'
import { SteadyWorker } from './steady-worker.ts'

const keys = redisKeys('test')
const A = 'a@1'
const B = 'b@1'
const LOCK_MS = 10_000

let server: RedisServer
let redis: Redis
before(async () => {
  server = await startRedis()
  ;({ redis } = server)
})
after(() => server.stop())
beforeEach(() => redis.flushall())

const queues = new Map<string, Queue>()
const queueOf = (pool: string): Queue => {
  const queue = queues.get(pool) ?? new Queue(queueOfPool(pool), { connection: server.redis, prefix: keys.bullmq })
  queues.set(pool, queue)
  return queue
}
after(() => Promise.all([...queues.values()].map((queue) => queue.close())))

const dataOf = (ref: string) => {
  const [model, revision] = ref.split('@')
  return { input: { model, model_revision: revision } }
}

/** Adds generations of these models, in this order. */
const add = async (pool: string, refs: readonly string[], priority = 5) => {
  for (const [place, ref] of refs.entries())
    await queueOf(pool).add('generate', dataOf(ref), { jobId: `${pool}-${place}-${ref}`, priority, attempts: 3 })
}

/** Says that a runner is up which serves these. */
const announce = async (pool: string, refs: readonly string[]) => {
  const models = refs.map((ref) => ref.split('@')).map(([id, revision]) => ({ id, revision }))
  await redis.hset(keys.runners, `${pool}-${refs.join()}`, JSON.stringify({ pool, models }))
  if (pool !== DEFAULT_POOL) await redis.zadd(keys.pools, Date.now(), pool)
}

interface Run {
  taken: string[]
  close(): Promise<void>
}

/** Starts a worker of a pool, which notes what it takes. */
const work = (
  t: TestContext,
  pool: string,
  refs: readonly string[],
  act: (id: string) => Promise<unknown> = async () => ({})
): Run => {
  const taken: string[] = []
  const connection = server.connect()
  const worker = new SteadyWorker(
    queueOfPool(pool),
    async (job) => {
      taken.push(job.id ?? '')
      return act(job.id ?? '')
    },
    {
      connection,
      prefix: keys.bullmq,
      lockDuration: LOCK_MS,
      drainDelay: 1,
      autorun: false,
      settings: { backoffStrategy: () => 20 },
      served: { keys, pool, refs }
    }
  )
  worker.on('error', () => undefined)
  void worker.prepared.then(() => worker.run())
  const close = async () => {
    await worker.close()
    connection.disconnect()
  }
  t.after(close)
  return { taken, close }
}

const stateOf = (pool: string, id: string) => queueOf(pool).getJobState(id)

test('what it serves is taken in the order of the queue, one after another and across priorities', async (t) => {
  await add(DEFAULT_POOL, [A, A, A])
  await queueOf(DEFAULT_POOL).add('generate', dataOf(A), { jobId: 'urgent', priority: 1 })
  await queueOf(DEFAULT_POOL).add('generate', dataOf(A), { jobId: 'handed-back' })
  const { taken } = work(t, DEFAULT_POOL, [A])
  await until('all are taken', () => taken.length === 5)
  assert.deepEqual(taken, ['handed-back', 'urgent', 'default-0-a@1', 'default-1-a@1', 'default-2-a@1'])
})

test('what another runner of the pool serves is left where it is, and taken by that one in its order', async (t) => {
  await announce(DEFAULT_POOL, [B])
  await add(DEFAULT_POOL, [B, A, B, A, B])
  await queueOf(DEFAULT_POOL).add('generate', dataOf(B), { jobId: 'handed-back' })
  const first = work(t, DEFAULT_POOL, [A])
  await until('its own are taken', () => first.taken.length === 2)
  assert.deepEqual(first.taken, ['default-1-a@1', 'default-3-a@1'])
  assert.equal(await redis.hget(queueOf(DEFAULT_POOL).toKey('default-0-b@1'), 'delay'), '0')
  const second = work(t, DEFAULT_POOL, [B])
  await until('the others are taken', () => second.taken.length === 4)
  assert.deepEqual(second.taken, ['handed-back', 'default-0-b@1', 'default-2-b@1', 'default-4-b@1'])
  assert.equal(first.taken.length, 2)
})

test('more than it looks at, all left to another, do not keep it from what it serves further on', async (t) => {
  await announce(DEFAULT_POOL, [B])
  await add(DEFAULT_POOL, [...Array.from({ length: 400 }, () => B), ...Array.from({ length: 400 }, () => A)])
  const { taken } = work(t, DEFAULT_POOL, [A])
  await until('all of its own are taken', () => taken.length === 400)
  assert.equal(await queueOf(DEFAULT_POOL).getPrioritizedCount(), 400)
})

test('what is added while only others could take it wakes one of them soon', async (t) => {
  await announce(DEFAULT_POOL, [B])
  const first = work(t, DEFAULT_POOL, [A])
  const second = work(t, DEFAULT_POOL, [B])
  for (let round = 0; round < 10; round++) {
    await add(DEFAULT_POOL, [B])
    await until('it is taken', () => second.taken.length === round + 1)
    await until('it is done', async () => (await stateOf(DEFAULT_POOL, 'default-0-b@1')) === 'completed')
    await queueOf(DEFAULT_POOL).remove('default-0-b@1')
  }
  assert.deepEqual(first.taken, [])
})

test('what only another pool serves is moved there, with all it has, and is made there once', async (t) => {
  await announce('art', [B])
  await add(DEFAULT_POOL, [A, B, B, A])
  await queueOf(DEFAULT_POOL).add('generate', dataOf(B), { jobId: 'handed-back' })
  const job = await queueOf(DEFAULT_POOL).getJob('default-1-b@1')
  await job?.log('a line')
  const first = work(t, DEFAULT_POOL, [A])
  await until('its own are taken', () => first.taken.length === 2)
  await until('the others are moved', async () => (await stateOf('art', 'default-2-b@1')) === 'prioritized')
  assert.deepEqual(await redis.zrange(queueOf('art').toKey('prioritized'), '0', '-1'), ['default-1-b@1', 'default-2-b@1'])
  assert.deepEqual(await redis.lrange(queueOf('art').toKey('wait'), 0, -1), ['handed-back'])
  assert.deepEqual(await redis.keys(`${queueOf(DEFAULT_POOL).toKey('')}*b@1*`), [])
  assert.deepEqual((await queueOf('art').getJobLogs('default-1-b@1')).logs, ['a line'])
  const second = work(t, 'art', [B])
  await until('they are made', () => second.taken.length === 3)
  assert.deepEqual(second.taken, ['handed-back', 'default-1-b@1', 'default-2-b@1'])
  assert.deepEqual(first.taken, ['default-0-a@1', 'default-3-a@1'])
})

test('who waits for the end of what is moved is released by it, once', async (t) => {
  await announce('art', [B])
  const flows = new FlowProducer({ connection: server.connect(), prefix: keys.bullmq })
  t.after(() => flows.close())
  const child = {
    name: 'generate',
    queueName: queueOfPool(DEFAULT_POOL),
    data: dataOf(B),
    opts: { jobId: 'child', priority: 1, ignoreDependencyOnFailure: true }
  }
  await flows.add({ name: 'tell', queueName: 'tell', opts: { jobId: 'parent' }, children: [child] })
  const tell = new Queue('tell', { connection: server.redis, prefix: keys.bullmq })
  t.after(() => tell.close())
  work(t, DEFAULT_POOL, [A])
  await until('it is moved', async () => (await stateOf('art', 'child')) === 'prioritized')
  assert.deepEqual(await redis.smembers(`${tell.toKey('parent')}:dependencies`), [queueOf('art').toKey('child')])
  assert.equal(await tell.getJobState('parent'), 'waiting-children')
  work(t, 'art', [B], () => Promise.resolve({ outcome: 'made' }))
  await until('the parent is released', async () => (await tell.getJobState('parent')) === 'waiting')
  assert.deepEqual(await redis.smembers(`${tell.toKey('parent')}:dependencies`), [])
})

test('what nobody serves is put aside with a reason and stands in nobody’s way, and is never begun', async (t) => {
  await add(DEFAULT_POOL, [...Array.from({ length: 250 }, () => B), A])
  const { taken } = work(t, DEFAULT_POOL, [A])
  await until('what it serves is taken', () => taken.length === 1)
  await until('the others are aside', async () => (await redis.zcard(keys.putAside('b', '1'))) === 250)
  const hash = await redis.hgetall(queueOf(DEFAULT_POOL).toKey('default-0-b@1'))
  assert.deepEqual([hash['ats'], hash['atm'], hash['processedOn'], hash['passed']], [undefined, undefined, undefined, '1'])
  assert.deepEqual(JSON.parse(hash['progress'] ?? ''), {
    stage: 'waiting_for_model',
    progress: null,
    message: 'It waits for a runner that serves revision 1 of b: none that is up does.'
  })
  assert.deepEqual(await redis.zrange(keys.unserved, '0', '-1'), [B])
  assert.equal(await stateOf(DEFAULT_POOL, 'default-0-b@1'), 'delayed')
  await until('it is looked at again, after a longer while', async () => {
    const again = await redis.hmget(queueOf(DEFAULT_POOL).toKey('default-0-b@1'), 'passed', 'delay')
    return Number(again[0]) >= 2 && Number(again[1]) >= 2000
  })
  assert.equal(taken.length, 1)
})

test('a job that fails, is handed back or is put off comes back to a worker that serves it, and the next is fetched as well', async (t) => {
  await announce(DEFAULT_POOL, [B])
  await add(DEFAULT_POOL, [A, B, A])
  let failures = 0
  const { taken } = work(t, DEFAULT_POOL, [A], async (id) => {
    if (id === 'default-0-a@1' && failures++ < 2) throw new Error('again')
    return {}
  })
  await until('all of its own are done', async () => (await queueOf(DEFAULT_POOL).getCompletedCount()) === 2)
  assert.equal(taken.filter((id) => id === 'default-0-a@1').length, 3)
  assert.ok(!taken.includes('default-1-b@1'))
  assert.equal(await stateOf(DEFAULT_POOL, 'default-1-b@1'), 'prioritized')
})

test('a payload that cannot be read is taken, for its worker to refuse it', async (t) => {
  await queueOf(DEFAULT_POOL).add('generate', 'text' as never, { jobId: 'text', priority: 1 })
  await queueOf(DEFAULT_POOL).add('generate', { input: { model: 7 } }, { jobId: 'number', priority: 1 })
  const { taken } = work(t, DEFAULT_POOL, [A])
  await until('both are taken', () => taken.length === 2)
})
