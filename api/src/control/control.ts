import { redisKeys } from '@nextscale/openapi'
import { lackOfCommands } from '@nextscale/platform'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { ConfigError } from '@nextscale/platform/config'
import { openEgress } from '../egress/open.ts'
import { openGenerations } from '../generations/open.ts'
import { openDeliveryQueue } from '../pools/queues.ts'
import { withDeliveries } from '../generations/with-deliveries.ts'
import { openObjectStore } from '@nextscale/platform/object-store'
import type { WorkerEnd } from '../redis/close-worker.ts'
import { connectProducer } from '../redis/connect.ts'
import { createRunnerRegistry } from '../runners/read-runners.ts'
import { createDeliveryReader } from '../webhooks/delivery-snapshot.ts'
import { createWebhookSecrets } from '../webhooks/secrets.ts'
import { startDeliveries } from '../webhooks/start-deliveries.ts'
import { measureBacklog } from './backlog.ts'
import type { ControlConfig } from './config.ts'
import { type ControlMetrics, createControlMetrics } from './control-metrics.ts'
import { emfLines } from './emf.ts'
import { createStrandedMove } from './move-stranded.ts'
import { promoteDue } from './promote-due.ts'
import { repeat } from './repeat.ts'
import { createReadiness, redisAnswers, serveMetrics } from '@nextscale/platform/metrics'
import { createSweeps } from './sweeps.ts'
import { watchLostRunners } from './watch-lost-runners.ts'
import { print } from '@nextscale/platform/terminal'

/** How often it is looked for generations whose model is served elsewhere. */
const MOVE_INTERVAL_MS = 2_000

export interface Control {
  /** Ends everything in reverse order. Webhook requests that are under way end first. */
  stop(): Promise<WorkerEnd>
}

/** What the parts of a control process work with. */
const open = async (config: ControlConfig, log: FastifyBaseLogger) => {
  const store = await openObjectStore(config.objectStore, 'links')
  const keys = redisKeys(config.redisPrefix)
  const redis = connectProducer(config, log)
  const { queues, removeMarked, reader } = openGenerations(redis, keys)
  const deliveryQueue = openDeliveryQueue(redis, keys)
  const egress = openEgress(config.egress)
  return {
    redis,
    keys,
    queues,
    removeMarked,
    deliveryQueue,
    store,
    egress,
    place: config,
    publicUrl: config.publicUrl,
    reader: withDeliveries(reader, createDeliveryReader(redis, deliveryQueue)),
    runners: createRunnerRegistry({ redis, keys }),
    secrets: createWebhookSecrets(redis, keys),
    close: async () => {
      await deliveryQueue.close()
      await queues.close()
      redis.disconnect()
      await egress.close()
      store.close()
    }
  }
}

type Parts = Awaited<ReturnType<typeof open>>

/** Waits for the first connection, which is tried for ever; false when `signal` fires before. */
const isThere = (redis: Redis, signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve(false)
    redis.once('ready', () => resolve(true))
    signal.addEventListener('abort', () => resolve(false), { once: true })
  })

/** The two parts that hold connections of their own. */
const startWorkers = async (parts: Parts, metrics: ControlMetrics, config: ControlConfig, log: FastifyBaseLogger) => {
  const stalls = watchLostRunners({ ...parts, ...config, log })
  const deliveries = await startDeliveries({ ...parts, registry: metrics.registry, config: config.webhooks, log })
  return [stalls, deliveries]
}

/** What is done now and then, each for itself, so that none waits for another. Resolves when all have ended. */
const startRepeating = (
  parts: Parts,
  metrics: ControlMetrics,
  config: ControlConfig,
  log: FastifyBaseLogger,
  signal: AbortSignal
) => {
  const regularly = (everyMs: number, name: string, work: () => Promise<void>) =>
    repeat({ everyMs, work, signal, onError: (error) => log.warn({ err: error }, `${name} failed; it is tried again`) })
  const publish = async () => {
    try {
      const backlog = await measureBacklog(parts)
      metrics.set(backlog)
      if (config.emf) for (const line of emfLines(config.emf, backlog, Date.now())) print(line)
    } catch (error) {
      metrics.set(undefined)
      throw error
    }
  }
  return Promise.all([
    regularly(config.backlogIntervalMs, 'Measuring the backlog', publish),
    regularly(MOVE_INTERVAL_MS, 'Moving what waits where its model is served', createStrandedMove({ ...parts, signal, log })),
    regularly(config.backlogIntervalMs, 'Promoting what is due', () => promoteDue({ ...parts, signal })),
    regularly(
      config.sweepIntervalMs,
      'A sweep',
      createSweeps({ ...parts, ...config, againMs: config.sweepIntervalMs, signal, log })
    )
  ])
}

/**
 * Starts everything a service needs besides requests and runners. Any number of processes may do so at once. Waits for Redis,
 * for as long as it takes; undefined when `signal` fires before.
 * @throws ConfigError when its user may not do what is needed.
 */
export const startControl = async (
  config: ControlConfig,
  log: FastifyBaseLogger,
  signal: AbortSignal
): Promise<Control | undefined> => {
  const metrics = createControlMetrics()
  const readiness = createReadiness('Redis cannot be reached.')
  const unserve = config.metrics && (await serveMetrics(metrics.registry, config.metrics, readiness))
  signal.addEventListener('abort', readiness.stop, { once: true })
  const parts = await open(config, log)
  const close = async () => {
    await parts.close()
    unserve?.()
    metrics.close()
  }
  if (!(await isThere(parts.redis, signal))) {
    await close()
    return undefined
  }
  const lack = await lackOfCommands(parts.redis, parts.keys, config.redisPrefix)
  if (lack !== undefined) {
    await close()
    throw new ConfigError(lack)
  }
  const workers = await startWorkers(parts, metrics, config, log)
  const stopping = new AbortController()
  const repeating = startRepeating(parts, metrics, config, log, stopping.signal)
  readiness.needs(redisAnswers(parts.redis))
  return {
    stop: async () => {
      readiness.stop()
      stopping.abort()
      const ends = await Promise.all(workers.toReversed().map((worker) => worker.stop()))
      await repeating
      await close()
      return ends.includes('abandoned') ? 'abandoned' : 'stopped'
    }
  }
}
