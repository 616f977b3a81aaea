import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { type Deployment, deploy } from '../support/deployment.ts'
import { until } from '../support/until.ts'
import { benchAccept } from './accept.ts'
import { fillQueue } from './fill-queue.ts'
import { postRepeatedly } from './http-load.ts'
import { timeOneByOne } from './one-by-one.ts'
import { median, percentile, printTable, short } from './report.ts'

const BODY = JSON.stringify({ class_name: 'fox', metadata: { order: '17' } })
const QUEUED = 1_000_000
const REQUESTS = 500
const STARTS = 5
const LAMBDA = fileURLToPath(new URL('../../../api/dist/lambda.mjs', import.meta.url))
const BUNDLE = fileURLToPath(new URL('../../../api/src/bundle.ts', import.meta.url))

const benchHalfLoad = async ({ baseUrl }: Deployment): Promise<void> => {
  const url = new URL(`${baseUrl}/generate`)
  const { perSecond } = await postRepeatedly(url, BODY, 64, 5)
  const { latenciesMs: latencies } = await postRepeatedly(url, BODY, 64, 10, perSecond / 2)
  printTable('POST /generate at half the rate it can take (target: p99 below 25 ms)', [
    {
      'full rate/s': short(perSecond, 0),
      'at rate/s': short(perSecond / 2, 0),
      'p50 ms': short(median(latencies), 2),
      'p99 ms': short(percentile(latencies, 0.99), 2)
    }
  ])
}

const PATHS = { list: '/v1/generations?limit=20', status: '/v1/status', models: '/v1/models' }

const timeAll = async ({ baseUrl }: Deployment): Promise<Record<string, number>> => {
  const post = new URL(`${baseUrl}/v1/generate`)
  await timeOneByOne(post, REQUESTS, BODY)
  const times: Record<string, number> = { accept: median(await timeOneByOne(post, REQUESTS, BODY)) }
  for (const [name, path] of Object.entries(PATHS)) {
    // A build without the route has nothing to time.
    const found = (await fetch(`${baseUrl}${path}`)).ok
    if (found) times[name] = median(await timeOneByOne(new URL(`${baseUrl}${path}`), REQUESTS))
  }
  return times
}

const benchDepth = async (service: Deployment, redis: Redis): Promise<void> => {
  const { id } = await service.client.generate(JSON.parse(BODY) as object)
  const shallow = await timeAll(service)
  await fillQueue(redis, id, QUEUED)
  const deep = await timeAll(service)
  const rows = Object.entries(shallow).map(([what, ms]) => ({
    what,
    'empty p50 ms': short(ms, 2),
    'deep p50 ms': short(deep[what] ?? Number.NaN, 2),
    ratio: short((deep[what] ?? Number.NaN) / ms, 2)
  }))
  const memory = /used_memory:(\d+)/.exec(await redis.info('memory'))?.[1] ?? '0'
  const size = short(Number(memory) / 1_048_576, 0)
  printTable(`With ${QUEUED} queued against an almost empty queue (target: ratio at most 1.2; Redis has ${size} MiB)`, rows)
}

const benchStart = async (service: Deployment): Promise<void> => {
  const listening: number[] = []
  for (let start = 0; start < STARTS; start++) {
    await service.api().end()
    const begun = performance.now()
    await service.startApi()
    listening.push(performance.now() - begun)
  }
  execFileSync(process.execPath, [BUNDLE], { stdio: 'inherit' })
  const code = `const t = performance.now(); await import(${JSON.stringify(LAMBDA)}); console.log(performance.now() - t); process.exit()`
  const imports = Array.from({ length: STARTS }, () => {
    const env = { PATH: process.env['PATH'], REDIS_URL: service.redis.url, OBJECT_DIR: service.objects, LOG_LEVEL: 'silent' }
    return Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { env, encoding: 'utf8' }))
  })
  printTable(`Starts, median of ${STARTS} (targets: 500 ms, 400 ms)`, [
    { 'API listening ms': short(median(listening), 0), 'import of lambda.mjs ms': short(median(imports), 0) }
  ])
}

/** What the API itself costs: accepting, a deep queue, starting. */
export const benchApi = async (): Promise<void> => {
  await benchAccept()
  const service = await deploy({ env: { QUEUE_LIMIT: String(3 * QUEUED) } })
  const redis = new Redis(service.redis.url, { maxRetriesPerRequest: null })
  try {
    await service.runner().end()
    await benchStart(service)
    await until('requests are accepted', async () => (await fetch(`${service.baseUrl}/readyz`)).ok)
    await benchDepth(service, redis)
    await redis.flushall()
    await service.startRunner()
    await service.runner().end()
    await benchHalfLoad(service)
  } finally {
    redis.disconnect()
    await service.close()
  }
}
