import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { type Deployment, deploy } from '../support/deployment.ts'
import { until } from '../support/until.ts'
import { bareJobsPerSecond, barePostsPerSecond } from './bare-rates.ts'
import { cpuSeconds } from './process-cpu.ts'
import { type CountingReceiver, startCountingReceiver } from './receiver-process.ts'
import { releaseDeliveries } from './release-deliveries.ts'
import { median, printTable, short } from './report.ts'

const ROUNDS = 3
const DELIVERIES = 5000
const HOSTS = 10
const HANGING = 500
/** As the control process has them by default. */
const PER_HOST = 20
const CONCURRENCY = 200
const TIMEOUT_MS = 300_000

interface Bench {
  service: Deployment
  redis: Redis
  receiver: CountingReceiver
}

interface Cpu {
  control: number
  redis: number
  receiver: number
}

interface Measured {
  perSecond: number
  bodyBytes: number
  /** CPU seconds of each process per second, from the first arrival seen to the last. */
  busy: Cpu
  /** The same per delivery, in ms. */
  each: Cpu
}

const mapCpu = (first: Cpu, last: Cpu, divisor: number): Cpu => ({
  control: (last.control - first.control) / divisor,
  redis: (last.redis - first.redis) / divisor,
  receiver: (last.receiver - first.receiver) / divisor
})

const readCpu = async ({ service, redis, receiver }: Bench): Promise<Cpu> => {
  const redisPid = /process_id:(\d+)/.exec(await redis.info('server'))?.[1]
  return {
    control: await cpuSeconds(service.control().pid),
    redis: await cpuSeconds(Number(redisPid)),
    receiver: await cpuSeconds(receiver.pid)
  }
}

/** Starts the control process and waits for so many arrivals of deliveries that are due. */
const deliverAll = async (bench: Bench, count: number): Promise<Measured> => {
  const { service, receiver } = bench
  await receiver.forget()
  await service.startControl()
  const arrived = (least: number) => async () => {
    const arrivals = await receiver.arrivals()
    return arrivals.count >= least && arrivals
  }
  const early = await until('the first delivery arrives', arrived(1))
  const first = { cpu: await readCpu(bench), at: performance.now() }
  const all = await until('all deliveries arrive', arrived(count), TIMEOUT_MS)
  const last = { cpu: await readCpu(bench), at: performance.now() }
  // Requests that hang would hold it up.
  await service.control().end('SIGKILL')
  return {
    perSecond: (count - 1) / ((all.lastAt - all.firstAt) / 1000),
    bodyBytes: all.sizeBytes / all.count,
    busy: mapCpu(first.cpu, last.cpu, (last.at - first.at) / 1000),
    each: mapCpu(first.cpu, last.cpu, (all.count - early.count) / 1000)
  }
}

const forgetDeliveries = async ({ redis }: Bench): Promise<void> => {
  const queue = new Queue('deliver-webhook', { connection: redis, prefix: '{nextscale}' })
  await queue.obliterate({ force: true })
  await queue.close()
}

/** What keeps it from being faster. */
const limitOf = ({ control, redis, receiver }: Cpu): string => {
  const [name, share] = Object.entries({ control, redis, receiver }).toSorted(([, a], [, b]) => b - a)[0] ?? ['', 0]
  return `${name} ${short(100 * share, 0)} %`
}

/** Deliveries/s to some hosts, beside what BullMQ and HTTP alone make. */
const measureRound = async (bench: Bench, hosts: number) => {
  const { service, receiver } = bench
  const urls = Array.from({ length: DELIVERIES }, (_, index) => receiver.url(index % hosts))
  await releaseDeliveries(service, urls)
  const measured = await deliverAll(bench, DELIVERIES)
  await forgetDeliveries(bench)
  const jobs = await bareJobsPerSecond(service.redis.url, DELIVERIES, CONCURRENCY)
  const posts = await barePostsPerSecond(urls, Math.round(measured.bodyBytes), hosts * PER_HOST)
  return { hosts, jobs, posts, ...measured }
}

const benchRate = async (bench: Bench): Promise<void> => {
  const rounds: Awaited<ReturnType<typeof measureRound>>[] = []
  for (let round = 0; round < ROUNDS; round++) {
    for (const hosts of [1, HOSTS]) rounds.push(await measureRound(bench, hosts))
  }
  const rows = rounds.map(({ hosts, perSecond, jobs, posts, each, busy }) => ({
    hosts,
    'deliveries/s': short(perSecond, 0),
    'bare jobs/s': short(jobs, 0),
    ratio: short(perSecond / jobs, 2),
    'bare posts/s': short(posts, 0),
    'ratio ': short(perSecond / posts, 2),
    'CPU ms each: control': short(each.control, 2),
    redis: short(each.redis, 2),
    receiver: short(each.receiver, 2),
    'busiest core': limitOf(busy)
  }))
  const bytes = short(median(rounds.map(({ bodyBytes }) => bodyBytes)), 0)
  printTable(`${DELIVERIES} webhooks of ${bytes} bytes to one host and to ${HOSTS} (target: 2000 deliveries/s)`, rows)
  for (const hosts of [1, HOSTS]) {
    const rates = rounds.filter((round) => round.hosts === hosts).map(({ perSecond }) => perSecond)
    console.log(`  median to ${hosts === 1 ? 'one host' : `${hosts} hosts`}: ${short(median(rates), 0)} deliveries/s`)
  }
}

/** Deliveries/s to one host, with and without another that takes requests and never answers. */
const benchHanging = async (bench: Bench): Promise<void> => {
  const rows: Record<string, string>[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const rates: number[] = []
    for (const hanging of [0, HANGING]) {
      const healthy = Array.from({ length: DELIVERIES }, () => bench.receiver.url())
      const every = hanging === 0 ? Number.POSITIVE_INFINITY : DELIVERIES / hanging
      const urls = healthy.flatMap((url, index) =>
        index % every === 0 && hanging > 0 ? [bench.receiver.hangingUrl, url] : [url]
      )
      await releaseDeliveries(bench.service, urls)
      rates.push((await deliverAll(bench, DELIVERIES)).perSecond)
      await forgetDeliveries(bench)
    }
    const [alone = Number.NaN, beside = Number.NaN] = rates
    rows.push({
      round: String(round + 1),
      'alone deliveries/s': short(alone, 0),
      'beside it deliveries/s': short(beside, 0),
      ratio: short(beside / alone, 2)
    })
  }
  printTable(`A healthy host beside ${HANGING} deliveries to one that never answers (target: ratio at least 0.9)`, rows)
}

/** How fast one control process delivers webhooks. Linux only. */
export const benchWebhooks = async (): Promise<void> => {
  const service = await deploy({ env: { EGRESS: 'any' } })
  const redis = new Redis(service.redis.url, { maxRetriesPerRequest: null })
  const receiver = await startCountingReceiver()
  try {
    await service.runner().end()
    await service.control().end()
    const bench = { service, redis, receiver }
    await benchRate(bench)
    await benchHanging(bench)
  } finally {
    redis.disconnect()
    await receiver.close()
    await service.close()
  }
}
