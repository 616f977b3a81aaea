import { setTimeout } from 'node:timers/promises'
import type { ServiceStatus } from '@nextscale/openapi'
import { Redis } from 'ioredis'
import { type Deployment, deploy } from '../support/deployment.ts'
import { until } from '../support/until.ts'
import { inLanes } from './in-lanes.ts'
import { printTable, short } from './report.ts'

const COUNT = 600
const IN_FLIGHT = 16
/** Looking is work for Redis as well. */
const LOOK_MS = 2_000
const IDLE_MS = 5_000
const DRAINED_MS = 600_000
/** Redis answers commands on one core. */
const CORE_US = 1e6
/** Above it waits in line grow. */
const BUSY_SHARE = 0.6
const DAY_SECONDS = 86_400
/** The default retention of a generation. */
const KEPT_SECONDS = 86_400
const GB = 1e9

interface Reading {
  /** CPU of the thread that answers commands, in µs since the start. */
  cpuUs: number
  commands: number
  bytes: number
  atMs: number
}

const read = async (redis: Redis): Promise<Reading> => {
  const text = `${await redis.info('cpu')}\n${await redis.info('memory')}\n${await redis.info('stats')}`
  const field = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1])
  return {
    cpuUs: (field('used_cpu_sys_main_thread') + field('used_cpu_user_main_thread')) * 1e6,
    commands: field('total_commands_processed'),
    bytes: field('used_memory'),
    atMs: performance.now()
  }
}

/** What Redis did between two readings, less what it does when nothing happens, for each of so many generations. */
const each = (from: Reading, to: Reading, idle: { usPerMs: number }) => ({
  us: (to.cpuUs - from.cpuUs - idle.usPerMs * (to.atMs - from.atMs)) / COUNT,
  commands: (to.commands - from.commands) / COUNT,
  bytes: (to.bytes - from.bytes) / COUNT
})

const post = async (baseUrl: string, body: object): Promise<void> => {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${baseUrl}/generate`, { method: 'POST', headers, body: JSON.stringify(body) })
  if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`)
  await answer.body?.cancel()
}

const waiting = async ({ client }: Deployment) => {
  const { queue } = (await client.send('get', '/status')).body as ServiceStatus
  return queue.waiting + queue.running
}

const measure = async (service: Deployment, redis: Redis, body: object) => {
  await service.startRunner()
  await setTimeout(1_000)
  const still = await read(redis)
  await setTimeout(IDLE_MS)
  const rested = await read(redis)
  const idle = { usPerMs: (rested.cpuUs - still.cpuUs) / (rested.atMs - still.atMs) }
  await service.runner().end()

  const before = await read(redis)
  await inLanes(IN_FLIGHT, COUNT, () => post(service.baseUrl, body))
  const accepted = await read(redis)
  await service.startRunner()
  const areMade = async () => {
    await setTimeout(LOOK_MS)
    return (await waiting(service)) === 0
  }
  await until('all are made', areMade, DRAINED_MS)
  const made = await read(redis)
  await service.runner().end()
  return { accept: each(before, accepted, idle), run: each(accepted, made, idle) }
}

const CASES: Record<string, object> = {
  'one picture': { class_label: 1 },
  'four pictures, previews': { class_label: 1, num_images: 4, previews: 'auto' }
}

/** What one Redis can carry: its work and memory for each generation, and what follows from them. */
export const benchRedisLimit = async (): Promise<void> => {
  const service = await deploy({ env: { QUEUE_LIMIT: '1000000' }, withRunner: true })
  const redis = new Redis(service.redis.url, { maxRetriesPerRequest: null })
  try {
    await service.client.finish((await service.client.generate({})).id)
    await service.runner().end()
    const rows: Record<string, string>[] = []
    for (const [name, body] of Object.entries(CASES)) {
      const { accept, run } = await measure(service, redis, body)
      const perSecond = (CORE_US * BUSY_SHARE) / (accept.us + run.us)
      rows.push({
        generation: name,
        'accept: µs': short(accept.us, 0),
        'run: µs': short(run.us, 0),
        commands: short(accept.commands + run.commands),
        'bytes waiting': short(accept.bytes, 0),
        'bytes ended': short(accept.bytes + run.bytes, 0),
        'generations/s': short(perSecond, 0),
        'million a day': short((perSecond * DAY_SECONDS) / 1e6, 0),
        'GB of a day': short(((accept.bytes + run.bytes) * perSecond * KEPT_SECONDS) / GB, 0)
      })
    }
    printTable(
      `One Redis: CPU of its main thread and memory for a generation; reckoned from them: what ${BUSY_SHARE * 100} % of a core carries`,
      rows
    )
  } finally {
    redis.disconnect()
    await service.close()
  }
}
