import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { type Deployment, deploy } from '../support/deployment.ts'
import { postRepeatedly } from './http-load.ts'
import { median, percentile, printTable, short } from './report.ts'

const ROUNDS = 5
const SECONDS = 3
const IN_FLIGHT = 64
const BODY = JSON.stringify({ class_name: 'fox', metadata: { order: '17' } })

/** Adds/s of BullMQ alone: the same number in flight, the same job as the API adds. */
const bareAdds = async (connection: Redis, prefix: string, job: { data: unknown; opts: object }): Promise<number> => {
  const queue = new Queue('bare', { connection, prefix })
  const deadline = performance.now() + SECONDS * 1_000
  let count = 0
  const lane = async (name: number) => {
    while (performance.now() < deadline)
      await queue.add('generate-image', job.data, { ...job.opts, jobId: `gen_${name}_${count++}` })
  }
  const begun = performance.now()
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, name) => lane(name)))
  const perSecond = count / ((performance.now() - begun) / 1_000)
  await queue.obliterate({ force: true })
  return perSecond
}

const accepts = async ({ baseUrl }: Deployment) => {
  const { perSecond, latenciesMs } = await postRepeatedly(new URL(`${baseUrl}/generate`), BODY, IN_FLIGHT, SECONDS)
  return { perSecond, p99: percentile(latenciesMs, 0.99) }
}

/** A job exactly as the API queued it. */
const readJob = async (redis: Redis, id: string) => {
  const [key] = await redis.keys(`*generate-image:${id}`)
  const { data = '{}', opts = '{}' } = key ? await redis.hgetall(key) : {}
  return { data: JSON.parse(data) as unknown, opts: { priority: 2, attempts: 10, ...(JSON.parse(opts) as object) } }
}

/** Accepted requests/s against bare `add`s, turn by turn in one run, with nobody taking jobs. */
export const benchAccept = async (): Promise<void> => {
  const service = await deploy()
  const redis = new Redis(service.redis.url, { maxRetriesPerRequest: null })
  try {
    const { id } = await service.client.generate(JSON.parse(BODY) as object)
    const job = await readJob(redis, id)
    await service.runner().end()
    const rounds: { bare: number; perSecond: number; p99: number }[] = []
    for (let round = 0; round <= ROUNDS; round++) {
      const { perSecond, p99 } = await accepts(service)
      const bare = await bareAdds(redis, '{bench}', job)
      // The first round warms up.
      if (round > 0) rounds.push({ bare, perSecond, p99 })
    }
    const rows = rounds.map(({ bare, perSecond, p99 }, round) => ({
      round: String(round + 1),
      'accepts/s': short(perSecond, 0),
      'p99 ms': short(p99, 0),
      'bare adds/s': short(bare, 0),
      ratio: short(perSecond / bare, 2)
    }))
    printTable(`POST /generate with ${IN_FLIGHT} in flight against BullMQ’s add (target: ratio at least 0.5)`, rows)
    console.log(`  median ratio ${short(median(rounds.map(({ bare, perSecond }) => perSecond / bare)), 2)}`)
  } finally {
    redis.disconnect()
    await service.close()
  }
}
