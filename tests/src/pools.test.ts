import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Model, ServiceStatus } from '@nextscale/openapi'
import { copyModel, SHIPPED_MODEL } from './support/copy-model.ts'
import { type Deployment, deploy } from './support/deployment.ts'
import { assertAllSucceeded, startLoad } from './support/drill.ts'
import type { TestProcess } from './support/process.ts'
import { until } from './support/until.ts'

const [SMALL, OTHER] = ['emoji-32', 'emoji-other']
/** A card of a runner that was killed is believed for half a minute. */
const LONG_MS = 60_000

let folder: string
let other: string
let service: Deployment
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextscale-pools-'))
  other = await copyModel(folder, 'other', { id: OTHER })
  service = await deploy({ withRunner: false, env: { MAX_BATCH: '4', LOG_LEVEL: 'debug' } })
})
after(async () => {
  await service.close()
  await rm(folder, { recursive: true, force: true })
})

/** A runner, and the models it serves. */
interface Started {
  pool: string
  models: string[]
  process: TestProcess
}
const started: Started[] = []
const start = async (pool: string, models: string[]): Promise<TestProcess> => {
  const folders = models.map((model) => (model === SMALL ? SHIPPED_MODEL : other))
  const process = await service.startRunner({ POOL: pool, MODELS: folders.join(','), THREADS: '1' })
  started.push({ pool, models, process })
  return process
}

const status = async () => (await service.client.send('get', '/status')).body as ServiceStatus
const poolsOf = async (model: string) => ((await service.client.send('get', `/models/${model}`)).body as Model).pools

interface Line {
  msg: string
  generation?: string
  model?: string
  outcome?: string
}
const linesOf = ({ process }: Started): Line[] =>
  process
    .output()
    .split('\n')
    .flatMap((line) => (line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line) as Line] : []))

test('two pools under load, with runners killed and a model that moves from one to the other: nothing lost, nothing made twice, no job at a runner that does not serve it', async () => {
  let first = await start('default', [SMALL])
  let art = await start('art', [OTHER])
  await until(
    'both are served',
    async () => (await poolsOf(SMALL)).join() === 'default' && (await poolsOf(OTHER)).join() === 'art'
  )
  const loads = [SMALL, OTHER].map((model) => startLoad(service, { intervalMs: 40, body: { model } }))
  const accepted = (count: number) =>
    until('more is accepted', async () => loads.every((load) => load.accepted.length >= count), LONG_MS)
  await accepted(20)
  await art.end('SIGKILL')
  art = await start('art', [OTHER])
  await accepted(60)
  // What waits for it follows the model, from a pool that is left without a runner.
  await art.end()
  await first.end()
  first = await start('default', [OTHER, SMALL])
  await accepted(120)
  await first.end('SIGKILL')
  // The two change places while one of them is not yet known to be gone.
  first = await start('default', [OTHER])
  art = await start('art', [SMALL])
  await accepted(180)
  const ids = (await Promise.all(loads.map((load) => load.stop()))).flat()
  assert.ok(ids.length >= 360)
  await assertAllSucceeded(service, ids)
  for (const runner of started) {
    const attempts = linesOf(runner).filter(({ msg }) => msg === 'attempt ended')
    for (const { model = '' } of attempts)
      assert.ok(runner.models.includes(model), `${model} at a runner of ${runner.models.join()}`)
    assert.deepEqual(
      linesOf(runner).filter(({ msg }) => msg.includes('this one does not')),
      []
    )
  }
  const made = started.flatMap(linesOf).filter(({ msg, outcome }) => msg === 'generation ended' && outcome === 'succeeded')
  assert.equal(new Set(made.map(({ generation }) => generation)).size, made.length)
})

test('each pool is told of: its runners, its queue, and what it serves', async () => {
  const of = async (name: string) => (await status()).pools.find((pool) => pool.name === name)
  await until('only those that live count', async () => (await status()).runners === 2, LONG_MS)
  assert.deepEqual(await of('default'), {
    name: 'default',
    waiting: 0,
    running: 0,
    oldest_wait_ms: null,
    runners: 1,
    models: [OTHER]
  })
  assert.deepEqual(await of('art'), { name: 'art', waiting: 0, running: 0, oldest_wait_ms: null, runners: 1, models: [SMALL] })
})

test('a pool without a runner keeps what is for it until one comes, and the others go on', async () => {
  for (const { process } of started) await process.end()
  await start('default', [OTHER])
  const waiting = await service.client.generate({ model: SMALL })
  const { id } = await service.client.generate({ model: OTHER })
  assert.equal((await service.client.finish(id)).status, 'succeeded')
  assert.equal((await service.client.read(waiting.id)).status, 'queued')
  await until('it waits in its pool', async () =>
    (await status()).pools.some(({ name, waiting: count }) => name === 'art' && count === 1)
  )
  await start('art', [SMALL])
  assert.equal((await service.client.finish(waiting.id)).status, 'succeeded')
})

test('a runner whose pool has no such name does not start, and says what it may be', async () => {
  for (const [pool, shown] of [
    ['Art', '"Art"'],
    ['-art', '"-art"'],
    ['a/b', '"a/b"'],
    ['a'.repeat(33), `"${'a'.repeat(33)}"`]
  ] as const)
    await assert.rejects(service.startRunner({ POOL: pool }), (error: Error) => {
      assert.match(error.message, new RegExp(`POOL must be 1 to 32 lower-case letters, digits and "-" .*, not ${shown}`))
      return true
    })
})
