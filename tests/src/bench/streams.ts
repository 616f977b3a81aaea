import { readFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type Deployment, deploy } from '../support/deployment.ts'
import { until } from '../support/until.ts'
import { percentile, printTable, short } from './report.ts'

const STREAMS = 500
const GENERATIONS = 50
const IDLE_MS = 3_000

const pssMiB = async (pid: number): Promise<number> => {
  const [, kilobytes = '0'] = /^Pss:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? []
  return Number(kilobytes) / 1_024
}

/** When BullMQ wrote each progress event, by generation and tokens: the id of a stream's entry is Redis' clock in ms. */
const reportedAt = async ({ redis }: Deployment): Promise<Map<string, number>> => {
  const client = new Redis(redis.url)
  const entries = await client.xrange('{nextscale}:generate-image:events', '-', '+')
  client.disconnect()
  const times = new Map<string, number>()
  for (const [entry, fields] of entries) {
    const { event, jobId, data } = Object.fromEntries(
      fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? '']] : []))
    ) as Partial<Record<string, string>>
    const tokens = event === 'progress' ? /"tokens":(\d+)/.exec(data ?? '')?.[1] : undefined
    const key = `${jobId} ${tokens}`
    if (tokens !== undefined && !times.has(key)) times.set(key, Number(entry.split('-')[0]))
  }
  return times
}

interface Heard {
  key: string
  at: number
}

/** Opens a stream whose progress events go into `heard`; resolves when its answer has begun. */
const openStream = (url: string, id: string, heard: Heard[], ended: () => void) =>
  new Promise<void>((resolve, reject) => {
    const request = get(url, { agent: false }, (response: IncomingMessage) => {
      resolve()
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        const at = performance.timeOrigin + performance.now()
        for (const [, tokens] of text.matchAll(/event: progress\ndata: \{[^\n]*"tokens":(\d+)/g))
          heard.push({ key: `${id} ${tokens}`, at })
      })
      response.on('close', ended)
    })
    request.on('error', reject)
  })

/** What many open event streams cost one API process, and how late they are. Linux only. */
export const benchStreams = async (): Promise<void> => {
  const service = await deploy()
  try {
    // The queue is filled before anything runs, so that every stream is open before its generation is.
    await service.runner().end()
    const urls = await Promise.all(Array.from({ length: GENERATIONS }, async () => (await service.client.generate()).urls))
    const { pid } = service.api()
    await sleep(IDLE_MS)
    const before = await pssMiB(pid)
    const heard: Heard[] = []
    let open = STREAMS
    for (let stream = 0; stream < STREAMS; stream++) {
      const { events, self } = urls[stream % GENERATIONS] ?? { events: '', self: '' }
      await openStream(events, self.slice(self.lastIndexOf('/') + 1), heard, () => open--)
    }
    await sleep(IDLE_MS)
    const idle = await pssMiB(pid)
    await service.startRunner()
    await until('every stream has ended', async () => open === 0, 120_000)
    const busy = await pssMiB(pid)
    const times = await reportedAt(service)
    const lags = heard.flatMap(({ key, at }) => (times.has(key) ? [at - (times.get(key) ?? 0)] : []))
    printTable(`${STREAMS} event streams of ${GENERATIONS} generations on one API process`, [
      {
        'PSS before MiB': short(before),
        'with idle streams MiB': short(idle),
        'after all have ended MiB': short(busy),
        'KiB per idle stream': short(((idle - before) * 1_024) / STREAMS),
        'progress events': lags.length,
        'lag p50 ms': short(percentile(lags, 0.5)),
        'lag p99 ms': short(percentile(lags, 0.99))
      }
    ])
  } finally {
    await service.close()
  }
}
