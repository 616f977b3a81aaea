import { parseArgs } from 'node:util'
import { benchAccept } from './accept.ts'
import { benchApi } from './api.ts'
import { benchDistributed } from './distributed/distributed.ts'
import { benchFootprint } from './footprint.ts'
import { benchKillLoop } from './kill-loop/kill-loop.ts'
import { benchOverhead } from './overhead.ts'
import { benchPools } from './pools.ts'
import { benchRedisLimit } from './redis-limit.ts'
import { benchSampling } from './sampling.ts'
import { benchStreams } from './streams.ts'
import { benchWebhookOutage } from './webhook-outage.ts'
import { benchWebhooks } from './webhooks.ts'

const BENCHMARKS: Record<string, () => Promise<void>> = {
  sampling: benchSampling,
  overhead: benchOverhead,
  accept: benchAccept,
  footprint: benchFootprint,
  streams: benchStreams,
  webhooks: benchWebhooks
}

const { values, positionals: wanted } = parseArgs({
  options: {
    down: { type: 'string', default: '600' },
    seconds: { type: 'string', default: '900' },
    seed: { type: 'string', default: '1' },
    other: { type: 'string' }
  },
  allowPositionals: true
})

const wholeNumber = (flag: 'down' | 'seconds' | 'seed', [least, most]: [number, number], meaning: string): number => {
  const number = Number(values[flag])
  if (/^\d+$/.test(values[flag]) && number >= least && number <= most) return number
  console.error(`--${flag} must be a whole number from ${least} to ${most}: ${meaning}.`)
  process.exit(1)
}
const downSeconds = wholeNumber('down', [1, 3600], 'seconds that the receiver of webhook-outage is away')
const seconds = wholeNumber('seconds', [1, 3600], 'how long kill-loop and distributed break things')
const seed = wholeNumber('seed', [0, 2 ** 32 - 1], 'what kill-loop and distributed break follows from it')

/** Take a gigabyte of memory or minutes, or repeat others, so they run only when named. */
const ON_DEMAND: Record<string, () => Promise<void>> = {
  api: benchApi,
  pools: benchPools,
  'redis-limit': benchRedisLimit,
  'webhook-outage': () => benchWebhookOutage(downSeconds),
  'kill-loop': () => benchKillLoop(seconds, seed),
  distributed: () => benchDistributed({ seconds, seed, other: values.other })
}

const unknown = wanted.filter((name) => !Object.hasOwn(BENCHMARKS, name) && !Object.hasOwn(ON_DEMAND, name))
if (unknown.length > 0) {
  console.error(
    `There is no benchmark ${unknown.join(', ')}: there is ${Object.keys({ ...BENCHMARKS, ...ON_DEMAND }).join(', ')}.`
  )
  process.exit(1)
}
for (const [name, run] of Object.entries({ ...BENCHMARKS, ...ON_DEMAND })) {
  if (wanted.length === 0 ? Object.hasOwn(BENCHMARKS, name) : wanted.includes(name)) await run()
}
