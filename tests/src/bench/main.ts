import { parseArgs } from 'node:util'
import { benchAccept } from './accept.ts'
import { benchApi } from './api.ts'
import { benchFootprint } from './footprint.ts'
import { benchOverhead } from './overhead.ts'
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
  options: { down: { type: 'string', default: '600' } },
  allowPositionals: true
})
const downSeconds = Number(values.down)
if (!Number.isInteger(downSeconds) || downSeconds < 1 || downSeconds > 3600) {
  console.error('--down must be seconds from 1 to 3600: how long the receiver of webhook-outage is away.')
  process.exit(1)
}

/** Take a gigabyte of memory or minutes, or repeat others, so they run only when named. */
const ON_DEMAND: Record<string, () => Promise<void>> = {
  api: benchApi,
  'webhook-outage': () => benchWebhookOutage(downSeconds)
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
