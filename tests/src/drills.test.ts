import assert from 'node:assert/strict'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Generation, Problem } from '@nextscale/openapi'
import { Redis } from 'ioredis'
import { asProblem } from './support/client.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { assertAllSucceeded, startLoad } from './support/drill.ts'
import { until } from './support/until.ts'

let service: Deployment
before(async () => {
  service = await deploy({ env: { MAX_BATCH: '4' } })
})
after(() => service.close())
/** A drill that fails half way must not take the others with it. */
afterEach(async () => {
  if (!service.redis.isRunning()) await service.redis.start()
  service.redis.thaw()
  if (!service.api().isRunning()) await service.startApi()
  if (!service.runner().isRunning()) await service.startRunner()
})

/** Whether some of the generations are being sampled and some are not finished yet. */
const isSampling = (ids: readonly string[]) => async () => {
  const found = await Promise.all(ids.map((id) => service.client.read(id)))
  return found.some(({ status, progress }) => status === 'running' && (progress?.tokens ?? 0) > 0)
}

/** Generations of several batches each, so that there is a middle to be caught in. */
const acceptSome = (count: number, body: object = { num_images: 8 }) =>
  Promise.all(Array.from({ length: count }, async (_, seed) => (await service.client.generate({ ...body, seed })).id))

test('a runner killed in the middle loses nothing: another takes its generations up', async () => {
  const ids = await acceptSome(8)
  await until('one is sampled', isSampling(ids))
  await service.runner().end('SIGKILL')
  await service.startRunner()
  const ended = await assertAllSucceeded(service, ids)
  assert.ok(ended.some(({ attempt }) => attempt > 1))
})

test('runners killed time and again lose nothing either, and nothing is held against what they held', async () => {
  await service.runner().end()
  const ids = await acceptSome(8, { num_images: 4 })
  for (let kill = 1; kill <= 6; kill++) {
    await service.startRunner()
    // It holds what it has not begun as well.
    await until('some are held', async () => (await service.client.send('get', '/status')).body.queue.running > 1)
    await service.runner().end('SIGKILL')
    await until('none is held', async () => (await service.client.send('get', '/status')).body.queue.running === 0)
  }
  await service.startRunner()
  await assertAllSucceeded(service, ids)
})

test('a Redis that is silent for longer than locks last costs nobody a runner: what is made is kept', async () => {
  const logs = () => [service.runner().output(), service.control().output()]
  const before = logs().map(({ length }) => length)
  const load = startLoad(service, { body: { num_images: 4 } })
  for (let pause = 1; pause <= 3; pause++) {
    await until('more are accepted', async () => load.accepted.length > 5 * pause)
    service.redis.freeze()
    await setTimeout(4_000)
    service.redis.thaw()
  }
  const ended = await assertAllSucceeded(service, await load.stop())
  assert.deepEqual([...new Set(ended.map(({ attempt }) => attempt))], [1])
  const said = logs().map((text, place) => text.slice(before[place]))
  assert.doesNotMatch(said.join(''), /lost their runner|lost the locks/)
})

test('a runner that starts on a backlog takes no more than it can batch', async () => {
  await service.runner().end()
  const ids = await acceptSome(10, { num_images: 8 })
  await service.startRunner()
  let most = 0
  const look = async () => {
    const { running, waiting } = (await service.client.send('get', '/status')).body.queue
    most = Math.max(most, running)
    return running + waiting === 0
  }
  await until('all are made', look, 60_000)
  // Twice the largest batch, of 4.
  assert.equal(most, 1)
  await assertAllSucceeded(service, ids)
})

test('a runner told to stop hands back what it cannot finish, without using up an attempt', async () => {
  await service.runner().end()
  await service.startRunner({ GRACE_MS: '0' })
  const ids = await acceptSome(8)
  await until('one is sampled', isSampling(ids))
  const begun = Date.now()
  await service.runner().end('SIGTERM')
  assert.ok(Date.now() - begun < 5_000)
  for (const id of ids) {
    const { status } = await service.client.read(id)
    assert.ok(status === 'queued' || status === 'succeeded', status)
  }
  await service.startRunner()
  const ended = await assertAllSucceeded(service, ids)
  assert.deepEqual([...new Set(ended.map(({ attempt }) => attempt))], [1])
})

test('a runner told to stop finishes what fits into its grace time', async () => {
  const [id = ''] = await acceptSome(1)
  await until('it is sampled', isSampling([id]))
  await service.runner().end('SIGTERM')
  assert.equal((await service.client.read(id)).status, 'succeeded')
})

test('what a runner hands back is taken up by an idle one within seconds', async () => {
  await service.runner().end()
  const first = await service.startRunner({ GRACE_MS: '0' })
  const ids = await acceptSome(12, { num_images: 16 })
  await until('one is sampled', isSampling(ids))
  const second = await service.startRunner()
  await first.end('SIGTERM')
  const begun = Date.now()
  await until('the other has begun', async () => second.output().includes('generation ended'), 10_000)
  assert.ok(Date.now() - begun < 8_000)
  await assertAllSucceeded(service, ids)
})

test('generations of many images are shared among runners: none takes more than it can batch', async () => {
  await service.runner().end()
  const first = await service.startRunner()
  const second = await service.startRunner()
  const ids = await acceptSome(6, { num_images: 16 })
  await assertAllSucceeded(service, ids)
  for (const runner of [first, second]) assert.match(runner.output(), /generation ended/)
  await first.end()
})

test('a Redis that is full refuses new generations, and loses none', async () => {
  const admin = new Redis(service.redis.url)
  const ids = await acceptSome(4)
  await admin.config('SET', 'maxmemory', '1')
  await until('new ones are refused', async () => {
    const { status, body } = await service.client.send('post', '/generate', (sent) => sent.send({}))
    if (status === 202) ids.push((body as Generation).id)
    return status === 503 && (body as Problem).code === 'queue_full'
  })
  await setTimeout(2_000)
  await admin.config('SET', 'maxmemory', '0')
  admin.disconnect()
  await assertAllSucceeded(service, ids)
})

test('a runner told to stop while Redis is away ends all the same', async () => {
  await service.runner().end()
  await service.startRunner({ GRACE_MS: '500' })
  const ids = await acceptSome(2)
  await until('one is sampled', isSampling(ids))
  await service.redis.stop()
  const begun = Date.now()
  await service.runner().end('SIGTERM')
  assert.ok(Date.now() - begun < 10_000)
  await service.redis.start()
  await service.startRunner()
  await assertAllSucceeded(service, ids)
})

test('the sampler process killed in the middle is replaced, and its generations are tried again', async () => {
  const ids = await acceptSome(4)
  await until('one is sampled', isSampling(ids))
  const { pid } = service.runner()
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  const [sampler] = children.trim().split(' ')
  process.kill(Number(sampler), 'SIGKILL')
  await assertAllSucceeded(service, ids)
  assert.ok(service.runner().isRunning())
})

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`Redis ended by ${signal} and started again under load loses nothing that was accepted`, async () => {
    const load = startLoad(service)
    await until('some are accepted', async () => load.accepted.length > 10)
    await service.redis.stop(signal)
    await until('some are refused', async () => load.refused > 0)
    await service.redis.start()
    const before = load.accepted.length
    await until('more are accepted', async () => load.accepted.length > before + 5)
    await assertAllSucceeded(service, await load.stop())
  })
}

test('without Redis every answer is a 503 within two seconds, and the service comes back by itself', async () => {
  const { client, redis } = service
  const id = `gen_${'a'.repeat(26)}`
  const requests = [
    ['post', '/generate'],
    ['get', `/v1/generations/${id}`],
    ['get', `/v1/generations/${id}?wait=30`],
    ['get', '/v1/generations'],
    ['post', `/v1/generations/${id}/cancel`],
    ['delete', `/v1/generations/${id}`],
    ['get', '/readyz']
  ] as const
  for (const [how, away, back] of [
    ['stopped', () => redis.stop(), () => redis.start()],
    ['frozen', async () => redis.freeze(), async () => redis.thaw()]
  ] as const) {
    await away()
    for (const [method, path] of requests) {
      const begun = Date.now()
      const response = await client.send(method, path, (sent) => (path === '/generate' ? sent.send({}) : sent))
      const where = `${how}: ${method} ${path}`
      assert.ok(Date.now() - begun < 2_000, `${where} took ${Date.now() - begun} ms`)
      assert.deepEqual([response.status, asProblem(response).code], [503, 'queue_unavailable'], where)
      assert.ok(Number(response.headers['retry-after']) >= 1, where)
    }
    assert.equal((await client.send('get', '/healthz')).status, 200)
    await back()
    await until('requests are accepted', async () => (await client.send('get', '/readyz')).status === 200)
    await assertAllSucceeded(service, [(await client.generate({})).id])
  }
})

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`the API ended by ${signal} and started again knows every generation it accepted`, async () => {
    const load = startLoad(service)
    await until('some are accepted', async () => load.accepted.length > 10)
    await service.api().end(signal)
    await setTimeout(200)
    await service.startApi()
    const before = load.accepted.length
    await until('more are accepted', async () => load.accepted.length > before + 5)
    await assertAllSucceeded(service, await load.stop())
  })
}

test('an API that closes ends long-polls with the generation as it is', async () => {
  await service.runner().end()
  const { client } = service
  const { id } = await client.generate({})
  const polled = client.read(id, 60)
  await setTimeout(300)
  const begun = Date.now()
  await service.api().end('SIGTERM')
  assert.equal((await polled).status, 'queued')
  assert.ok(Date.now() - begun < 5_000)
  await service.startApi()
  await service.startRunner()
  await assertAllSucceeded(service, [id])
})

test('an object store that fails for a while delays pictures and loses none', async () => {
  const folder = join(service.objects, 'generations')
  // A file in the folder’s place fails every write, for root as well.
  await rename(folder, `${folder}.away`)
  await writeFile(folder, '')
  const ids = await acceptSome(3)
  const isRetried = ({ attempt, status }: Generation) => attempt >= 1 && status === 'queued'
  for (const id of ids) await until('it waits for another attempt', async () => isRetried(await service.client.read(id)))
  await setTimeout(1_000)
  for (const id of ids) assert.ok(['queued', 'running'].includes((await service.client.read(id)).status))
  await rm(folder)
  await rename(`${folder}.away`, folder)
  const ended = await assertAllSucceeded(service, ids)
  assert.ok(ended.every(({ attempt }) => attempt > 1))
})

test('a runner that starts before Redis, and an API as well, find it when it comes', async () => {
  await service.runner().end()
  await service.api().end()
  await service.redis.stop()
  const starting = service.startRunner()
  await service.startApi({}, 'away')
  assert.equal((await service.client.send('post', '/generate', (sent) => sent.send({}))).status, 503)
  await service.redis.start()
  await starting
  await until('requests are accepted', async () => (await service.client.send('get', '/readyz')).status === 200)
  await assertAllSucceeded(service, [(await service.client.generate({})).id])
})
