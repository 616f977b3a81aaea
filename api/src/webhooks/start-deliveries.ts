import { type DeliverWebhookResult, deliverWebhookJob, type RedisKeys } from '@nextscale/openapi'
import { type RedisPlace, SteadyWorker, watchStalls } from '@nextscale/platform'
import type { Job } from 'bullmq'
import type { Registry } from 'prom-client'
import { closeWorker, type WorkerEnd } from '../redis/close-worker.ts'
import { connectWorker } from '@nextscale/platform'
import { deliver, type DeliverContext, RetryLater } from './deliver.ts'
import { createDeliveryMetrics } from './delivery-metrics.ts'
import { createHostSlots } from './host-slots.ts'
import { openSigningKeys } from './signing-keys.ts'
import { VERSION } from '@nextscale/platform/observe'

export interface DeliveriesContext extends Omit<DeliverContext, 'slots' | 'metrics' | 'signingKeys' | 'userAgent'> {
  place: RedisPlace
  keys: RedisKeys
  registry: Registry
}

export interface Deliveries {
  /** Takes no more, and resolves once those under way have ended: each has its own deadline. */
  stop(): Promise<WorkerEnd>
}

const MIN_LOCK_MS = 2000
/** Share of all that is under way which one host may take up at most: the rest is for the others. */
const HOST_SHARE = 0.5
/** How long an idle worker blocks on Redis, in seconds. */
const DRAIN_DELAY_SECONDS = 1
const UNKNOWN_DELAY_MS = 5000
/** After how long Redis is asked again once it failed to answer. */
const RETRY_MS = 1000
/** What recording a request takes at most, beyond its own time. */
const RECORD_MS = 3000

const backoffStrategy = (_attemptsMade: number, _type?: string, error?: Error): number =>
  error instanceof RetryLater ? error.delayMs : UNKNOWN_DELAY_MS

/** Delivers what is due. Any number of processes may do so at once. */
export const startDeliveries = async ({ place, keys, registry, ...context }: DeliveriesContext): Promise<Deliveries> => {
  const { config, log } = context
  const slots = createHostSlots({ perHost: Math.min(config.perHost, Math.ceil(config.concurrency * HOST_SHARE)) })
  const deliverContext: DeliverContext = {
    ...context,
    slots,
    metrics: createDeliveryMetrics(registry, () => slots.counts()),
    signingKeys: openSigningKeys(config.signingKeys),
    userAgent: `Nextscale-Webhooks/${VERSION}`
  }
  const connection = connectWorker(place, log)
  const lockDuration = Math.max(2 * config.timeoutMs, MIN_LOCK_MS)
  const stopping = new AbortController()
  const processor = (job: Job, token: string | undefined, signal: AbortSignal | undefined): Promise<DeliverWebhookResult> =>
    deliver(deliverContext, job, token, signal ?? stopping.signal)
  const worker = new SteadyWorker<unknown, DeliverWebhookResult>(deliverWebhookJob.queue, processor, {
    connection,
    prefix: keys.bullmq,
    concurrency: config.concurrency,
    lockDuration,
    drainDelay: DRAIN_DELAY_SECONDS,
    runRetryDelay: RETRY_MS,
    settings: { backoffStrategy }
  })
  worker.on('error', (error) => log.warn({ err: error }, 'the queue of deliveries'))
  const stalls = watchStalls({
    redis: connection,
    toKey: worker.toKey,
    lockDurationMs: lockDuration,
    intervalMs: lockDuration / 2,
    onStalled: (deliveries) => log.warn({ deliveries }, 'deliveries lost their process and are made again'),
    onError: (error) => log.warn({ err: error }, 'lost deliveries could not be looked for; it is tried again')
  })
  return {
    stop: () => {
      stalls.stop()
      return closeWorker({ worker, connection, graceMs: config.timeoutMs + RECORD_MS })
    }
  }
}
