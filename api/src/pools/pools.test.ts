import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { type Generation, type Model, RUNNER_CARD_SECONDS, type ServiceStatus } from '@nextscale/openapi'
import { until } from '@nextscale/platform/testing'
import { createStrandedMove } from '../control/move-stranded.ts'
import { retirePools } from '../control/retire-pools.ts'
import { sweepExpired } from '../control/sweep.ts'
import { OWNER } from '../owner.ts'
import { createRunnerRegistry } from '../runners/read-runners.ts'
import { modelCard } from '../testing/model-card.ts'
import { bodyOf, openTestApp, post, type RunnerJob, type TestApp } from '../testing/test-app.ts'
import { createPlacement } from './placement.ts'

const [SMALL, LARGE] = ['emoji-32', 'large']

let context: TestApp
before(async () => {
  context = await openTestApp({ EGRESS: 'any' }, [modelCard(), modelCard({ id: LARGE, order: 1 })])
})
after(() => context.close())
const workers: { close(force?: boolean): Promise<void> }[] = []
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.close(true)
  const { redis, keys, queues } = context
  for (const pool of await queues.names()) await queues.of(pool).obliterate({ force: true })
  await redis.del(keys.runners, keys.pools, keys.offers, keys.placements)
})

const serving = (id: string, imageMs: number | null = null, latencyMs: number | null = imageMs) => ({
  id,
  revision: 'r1',
  image_ms: imageMs,
  latency_ms: latencyMs
})

const poolsOf = async (model: string) => bodyOf<Model>(await context.app.inject(`/models/${model}`)).pools
/** Says which pools there are, and waits until the server has heard of it. */
const announcePools = async (pools: Record<string, string[]>) => {
  for (const [pool, models] of Object.entries(pools))
    await context.announceRunner(
      pool,
      models.map((id) => serving(id))
    )
  for (const model of new Set(Object.values(pools).flat())) {
    const expected = Object.keys(pools).filter((pool) => pools[pool]?.includes(model))
    await until(
      `${model} is served in ${expected.join()}`,
      async () => (await poolsOf(model)).join() === expected.toSorted().join()
    )
  }
}

const read = async (id: string) => bodyOf<Generation>(await context.app.inject(`/generations/${id}`))
const hasJob = async (pool: string, id: string) => (await context.queues.of(pool).getJob(id)) !== undefined
const move = (from: string, id: string, targets: Record<string, string>) =>
  context.redis.moveJobs(context.keys.pools, from, JSON.stringify(targets), id)

const succeed = (job: RunnerJob) => {
  const metrics = { sample_ms: 1, scale_ms: null, decode_ms: null, encode_ms: null, upload_ms: null, batch_size: null }
  const key = `generations/${job.id}/0.png`
  const output = { index: 0, seed: 7, key, content_type: 'image/png', width: 32, height: 32, bytes: 9, sha256: 'a'.repeat(64) }
  return Promise.resolve({ outcome: 'succeeded', outputs: [output], metrics })
}
const runIn = async (pool: string, process: (job: RunnerJob) => Promise<unknown> = succeed) => {
  const worker = await context.runner(process, pool)
  workers.push(worker)
  return worker
}

test('a generation is put where its model is served, and its card says where that is', async () => {
  await announcePools({ default: [SMALL], art: [LARGE] })
  assert.deepEqual([await poolsOf(SMALL), await poolsOf(LARGE)], [['default'], ['art']])
  const [small, large] = [await context.generate({}), await context.generate({ model: LARGE })]
  assert.deepEqual([await hasJob('default', small.id), await hasJob('art', small.id)], [true, false])
  assert.deepEqual([await hasJob('default', large.id), await hasJob('art', large.id)], [false, true])
})

test('while no runner that serves it lives, it is put where it was offered last', async () => {
  const { redis, keys } = context
  await redis.zadd(keys.offers, 1, `default/${LARGE}@r1`, 2, `art/${LARGE}@r1`, 3, `art/${LARGE}@r2`, 4, 'art/other@r1')
  await until('the offer is known', async () => (await poolsOf(LARGE)).join() === 'art')
  const { id } = await context.generate({ model: LARGE })
  assert.ok(await hasJob('art', id))
  // Of a pool that no runner is of, since it is scaled to none, all the same is told.
  assert.equal((await read(id)).status, 'queued')
  const { id: small } = await context.generate({})
  assert.ok(await hasJob('default', small))
})

test('whatever pool it is in, it is read, listed, awaited, canceled and deleted, and its idempotency key is its own', async () => {
  await announcePools({ default: [SMALL], art: [LARGE] })
  const headers = { 'idempotency-key': 'one', 'content-type': 'application/json' }
  const create = () =>
    context.app.inject({ method: 'POST', url: '/generate', headers, body: JSON.stringify({ model: LARGE, seed: 1 }) })
  const first = await create()
  const { id } = bodyOf<Generation>(first)
  const canceled = await context.generate({ model: LARGE })
  assert.deepEqual([(await read(id)).queue?.position, (await read(canceled.id)).queue?.position], [0, 1])
  const { data } = bodyOf<{ data: Generation[] }>(await context.app.inject(`/generations?model=${LARGE}&limit=2`))
  assert.deepEqual(
    data.map((each) => each.id),
    [canceled.id, id]
  )
  await post(context.app, `/generations/${canceled.id}/cancel`, {})
  assert.deepEqual([(await read(canceled.id)).status, await hasJob('art', canceled.id)], ['canceled', false])
  const waiting = context.app.inject(`/generations/${id}?wait=20`)
  await runIn('art')
  assert.equal(bodyOf<Generation>(await waiting).status, 'succeeded')
  // The model is served elsewhere by now.
  await announcePools({ default: [SMALL, LARGE], art: [] })
  const again = await create()
  assert.deepEqual([again.statusCode, again.headers['idempotency-replayed'], bodyOf<Generation>(again).id], [200, 'true', id])
  assert.equal(await hasJob('default', id), false)
  assert.equal((await context.app.inject({ method: 'DELETE', url: `/generations/${id}` })).statusCode, 204)
  assert.equal((await context.app.inject(`/generations/${id}`)).statusCode, 410)
  assert.equal(await hasJob('art', id), false)
  assert.equal((await create()).statusCode, 410)
})

test('one that is moved to another pool stays what it is: read, replayed, awaited and canceled, and made once', async () => {
  await announcePools({ default: [SMALL, LARGE], art: [] })
  const headers = { 'idempotency-key': 'moved', 'content-type': 'application/json' }
  const webhook = { url: 'https://203.0.113.7/hook' }
  const create = () =>
    context.app.inject({ method: 'POST', url: '/generate', headers, body: JSON.stringify({ model: LARGE, seed: 1, webhook }) })
  const { id } = bodyOf<Generation>(await create())
  const canceled = await context.generate({ model: LARGE })
  const waiting = context.app.inject(`/generations/${id}?wait=20`)
  for (const each of [id, canceled.id]) assert.equal(await move('default', each, { [`${LARGE}@r1`]: 'art' }), 1)
  assert.deepEqual([await hasJob('default', id), await hasJob('art', id)], [false, true])
  assert.deepEqual([(await read(id)).status, (await read(id)).queue?.position], ['queued', 0])
  const again = await create()
  assert.deepEqual([bodyOf<Generation>(again).id, again.headers['idempotency-replayed']], [id, 'true'])
  assert.equal(await hasJob('default', id), false)
  await post(context.app, `/generations/${canceled.id}/cancel`, {})
  assert.equal((await read(canceled.id)).status, 'canceled')
  const made: string[] = []
  for (const pool of ['default', 'art'])
    await runIn(pool, (job) => {
      made.push(`${pool} ${job.id}`)
      return succeed(job)
    })
  assert.equal(bodyOf<Generation>(await waiting).status, 'succeeded')
  assert.deepEqual(made, [`art ${id}`])
  assert.equal((await read(id)).webhook?.status, 'pending')
})

test('only what waits, and is of a model that is named, is moved', async () => {
  await announcePools({ default: [SMALL, LARGE], art: [] })
  const [small, large] = [await context.generate({}), await context.generate({ model: LARGE })]
  assert.equal(await move('default', small.id, { [`${LARGE}@r1`]: 'art' }), 0)
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
  await runIn('default', async (job) => {
    await held
    return succeed(job)
  })
  await until('it runs', async () => (await read(small.id)).status === 'running')
  assert.equal(await move('default', small.id, { [`${SMALL}@r1`]: 'art' }), 0)
  letGo()
  await until('both have ended', async () => (await read(large.id)).status === 'succeeded')
  assert.equal(await move('default', large.id, { [`${LARGE}@r1`]: 'art' }), 0)
  assert.equal((await read(large.id)).status, 'succeeded')
})

test('what waits where no runner serves it any more goes where one does, and the rest stays', async () => {
  const { redis, keys, queues } = context
  await announcePools({ default: [SMALL, LARGE], art: [] })
  const ids = await Promise.all(Array.from({ length: 450 }, async () => (await context.generate({ model: LARGE })).id))
  const { id: small } = await context.generate({})
  const [late = ''] = ids
  const job = await queues.of('default').getJob(late)
  await job?.changePriority({ priority: 0 })
  await announcePools({ default: [SMALL], art: [LARGE] })
  const { signal } = new AbortController()
  const runners = createRunnerRegistry({ redis, keys })
  const moveStranded = createStrandedMove({ redis, keys, queues, runners, signal, log: context.app.log })
  await moveStranded()
  assert.equal(await queues.of('default').getJobCountByTypes('waiting', 'prioritized', 'delayed'), 1)
  assert.equal(await queues.of('art').getJobCountByTypes('waiting', 'prioritized', 'delayed'), 450)
  assert.equal((await read(small)).queue?.position, 0)
  // Of one that was the next to be taken, none is ahead.
  assert.equal((await read(late)).queue?.position, 0)
  assert.deepEqual(new Set((await Promise.all(ids.map(read))).map(({ status }) => status)), new Set(['queued']))
})

test('of two pools that serve it, the one is chosen that is expected to be done first', async () => {
  const { redis, keys } = context
  const waiting = new Map([
    ['default', 0],
    ['fast', 0]
  ])
  const choose = async () => {
    const runners = createRunnerRegistry({ redis, keys })
    const depth = { waitingIn: (pool: string) => waiting.get(pool) ?? 0 }
    return createPlacement({ redis, keys, runners, depth }).choose({ model: SMALL, model_revision: 'r1' })
  }
  await context.announceRunner('default', [serving(SMALL, 1000, 2000)])
  await context.announceRunner('fast', [serving(SMALL, 100, 300)])
  assert.equal(await choose(), 'fast')
  waiting.set('fast', 16)
  assert.equal(await choose(), 'fast')
  waiting.set('fast', 18)
  assert.equal(await choose(), 'default')
  waiting.set('default', 2)
  assert.equal(await choose(), 'fast')
  // One that has measured nothing yet is taken to be like the others.
  await context.announceRunner('default', [serving(SMALL)])
  assert.equal(await choose(), 'default')
  // One that is gone does nothing.
  await context.announceRunner('default', [serving(SMALL, 1, 1)], Date.now() - (RUNNER_CARD_SECONDS + 1) * 1000)
  waiting.set('fast', 1000)
  assert.equal(await choose(), 'fast')
})

test('a full pool refuses what is for it, and takes nothing from the others', async () => {
  const full = await openTestApp({ QUEUE_LIMIT: '2' }, [modelCard(), modelCard({ id: LARGE, order: 1 })])
  try {
    await full.announceRunner('default', [serving(SMALL)])
    await full.announceRunner('art', [serving(LARGE)])
    const served = async () => bodyOf<Model>(await full.app.inject(`/models/${LARGE}`)).pools.join()
    await until('the pools are known', async () => (await served()) === 'art')
    const statusOf = async (model: string) => (await post(full.app, '/generate', { model })).statusCode
    assert.deepEqual([await statusOf(LARGE), await statusOf(LARGE), await statusOf(LARGE)], [202, 202, 503])
    assert.deepEqual([await statusOf(SMALL), await statusOf(SMALL), await statusOf(SMALL)], [202, 202, 503])
    const { accepting } = bodyOf<ServiceStatus>(await full.app.inject('/status'))
    assert.equal(accepting, false)
  } finally {
    await full.close()
  }
})

test('the status tells of each pool, and of all together', async () => {
  await announcePools({ default: [SMALL], art: [LARGE] })
  for (const model of [SMALL, LARGE, LARGE]) await context.generate({ model })
  const { pools, queue } = bodyOf<ServiceStatus>(await context.app.inject('/status'))
  assert.deepEqual(
    pools.map(({ name, waiting, running, runners, models }) => ({ name, waiting, running, runners, models })),
    [
      { name: 'default', waiting: 1, running: 0, runners: 1, models: [SMALL] },
      { name: 'art', waiting: 2, running: 0, runners: 1, models: [LARGE] }
    ]
  )
  assert.deepEqual([queue.waiting, queue.running], [3, 0])
  const { body } = await context.app.inject('/metrics')
  assert.match(body, /^nextscale_queue_generations\{pool="art",state="waiting"\} 2$/m)
  assert.match(body, /^nextscale_queue_generations\{pool="default",state="waiting"\} 1$/m)
})

test('what a generation of any pool has left is swept once its retention is over', async () => {
  await announcePools({ default: [SMALL], art: [LARGE] })
  const { redis, keys, queues } = context
  const { id } = await context.generate({ model: LARGE })
  await runIn('art')
  await until('it has ended', async () => (await read(id)).status === 'succeeded')
  await redis.zadd(keys.expiry, 1, id)
  const removed: string[] = []
  const store = { remove: (key: string) => Promise.resolve(void removed.push(key)) } as never
  const { signal } = new AbortController()
  const onError = (_id: string, error: unknown) => assert.fail(String(error))
  const sweep = (now: number) => sweepExpired({ redis, queues, keys, store, againMs: 1000, signal, now: () => now, onError })
  await sweep(Date.now())
  assert.deepEqual([removed, await hasJob('art', id)], [[], true])
  await redis.zadd(keys.expiry, 1, id)
  await sweep(Date.now() + 2 * 86_400_000)
  assert.deepEqual([removed, await hasJob('art', id)], [[`generations/${id}/`], false])
  assert.notEqual(await redis.zscore(keys.index(OWNER), id), null)
})

test('a pool is forgotten once it offers nothing, is not used, and has not a generation left', async () => {
  const { redis, keys, queues, app } = context
  await announcePools({ default: [SMALL], art: [LARGE] })
  await redis.zadd(keys.offers, Date.now(), `art/${LARGE}@r1`)
  const { id } = await context.generate({ model: LARGE })
  await runIn('art')
  await until('it has ended', async () => (await read(id)).status === 'succeeded')
  const retire = (later: number) => retirePools({ redis, keys, log: app.log, now: () => Date.now() + later })
  const isThere = async () => (await queues.names()).includes('art')
  await queues.of('art').remove(id)
  await retire(2 * 3_600_000)
  assert.equal(await isThere(), true, 'while it has offered something lately')
  await redis.zrem(keys.offers, `art/${LARGE}@r1`)
  await retire(0)
  assert.equal(await isThere(), true, 'while it is in use')
  await queues.of('art').add('generate-image', {} as never, { jobId: 'left', delay: 60_000 })
  await retire(2 * 3_600_000)
  assert.equal(await isThere(), true, 'while it has a job')
  await queues.of('art').remove('left')
  await retire(2 * 3_600_000)
  assert.equal(await isThere(), false)
})
