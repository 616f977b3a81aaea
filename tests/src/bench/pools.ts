import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { copyModel } from '../support/copy-model.ts'
import { type Deployment, deploy } from '../support/deployment.ts'
import { until } from '../support/until.ts'
import { fillQueue } from './fill-queue.ts'
import { timeOneByOne } from './one-by-one.ts'
import { median, printTable, short } from './report.ts'

const QUEUED = 1_000_000
const REQUESTS = 300
const GENERATIONS = 150
const OTHER = 'emoji-other'

const PATHS = { list: '/v1/generations?limit=20', status: '/v1/status' }

/** From the request to its picture, less the sampler's own time, one after another. */
const overheads = async ({ client }: Deployment): Promise<number[]> => {
  const found: number[] = []
  for (let seed = 0; seed < GENERATIONS; seed++) {
    const begun = performance.now()
    const { id } = await client.generate({ class_label: seed % 60, seed })
    const { metrics, status } = await client.read(id, 30)
    if (status !== 'succeeded') throw new Error(`${id} is ${status}`)
    found.push(performance.now() - begun - (metrics.sample_ms ?? 0) - (metrics.decode_ms ?? 0))
  }
  return found
}

const timeAll = async (service: Deployment): Promise<Record<string, number>> => {
  const post = new URL(`${service.baseUrl}/v1/generate`)
  const times: Record<string, number> = { 'run, less sampling': median(await overheads(service)) }
  // Nobody takes what is only accepted.
  await service.runner().end()
  times['accept'] = median(await timeOneByOne(post, REQUESTS, JSON.stringify({ class_name: 'fox' })))
  for (const [name, path] of Object.entries(PATHS))
    times[name] = median(await timeOneByOne(new URL(`${service.baseUrl}${path}`), REQUESTS))
  await service.startRunner()
  await until('the queue of the other pool is empty', async () => {
    const { pools } = (await service.client.send('get', '/status')).body as { pools: { name: string; waiting: number }[] }
    return pools.find(({ name }) => name === 'default')?.waiting === 0
  })
  return times
}

/** A million generations that wait in one pool, and what that costs another. */
export const benchPools = async (): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-pools-'))
  const service = await deploy({ env: { QUEUE_LIMIT: String(2 * QUEUED) } })
  const redis = new Redis(service.redis.url, { maxRetriesPerRequest: null })
  try {
    const other = await copyModel(folder, OTHER, { id: OTHER })
    const art = await service.startRunner({ POOL: 'art', MODELS: other })
    await until('it is served', async () => (await service.client.send('get', `/models/${OTHER}`)).status === 200)
    await art.end()
    await service.startRunner()
    await timeAll(service)
    const empty = await timeAll(service)
    const { id } = await service.client.generate({ model: OTHER })
    await fillQueue(redis, id, QUEUED)
    const deep = await timeAll(service)
    const rows = Object.entries(empty).map(([what, ms]) => ({
      what,
      'empty p50 ms': short(ms, 2),
      'deep p50 ms': short(deep[what] ?? Number.NaN, 2),
      ratio: short((deep[what] ?? Number.NaN) / ms, 2)
    }))
    printTable(`One pool while ${QUEUED} wait in another, against none (target: ratio at most 1.2)`, rows)
  } finally {
    redis.disconnect()
    await service.close()
    await rm(folder, { recursive: true, force: true })
  }
}
