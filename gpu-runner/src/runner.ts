import { type RedisKeys, redisKeys } from '@nextscale/openapi'
import { connectWorker, lackOfCommands } from '@nextscale/platform'
import type { Logger } from 'pino'
import { announceModels } from './announce-models.ts'
import { announceRunner } from './announce-runner.ts'
import { ConfigError } from '@nextscale/platform/config'
import type { Config } from './config.ts'
import { ModelError } from './errors.ts'
import { keyOf } from './model/model-ref.ts'
import { type OpenModel, openModel, verifyHashes } from './model/open-model.ts'
import { openObjectStore } from '@nextscale/platform/object-store'
import { logAttempts } from './observe/log-attempts.ts'
import { observeSampler } from './observe/observe-sampler.ts'
import { observeWith } from './observe/observer.ts'
import { createSpeed } from './observe/speed.ts'
import { Sampler } from './sampler/sampler.ts'
import { createLiveEvents } from './worker/announce-events.ts'
import { createBatcher } from './worker/batcher.ts'
import { createCancelWatch } from './worker/cancel-watch.ts'
import { createTakeUp } from './worker/take-up.ts'
import { type RunningWorker, startWorker } from './worker/worker.ts'

/** Opens models, by `keyOf` their ids and revisions. Of one id there may be several revisions: the first is offered, all are served. */
const openModels = async (folders: readonly string[]): Promise<Map<string, OpenModel>> => {
  const models = new Map<string, OpenModel>()
  for (const folder of folders) {
    const model = await openModel(folder)
    await verifyHashes(model)
    const { id, revision } = model.manifest
    const key = keyOf({ id, revision })
    if (models.has(key))
      throw new ModelError(`MODELS names two folders with revision ${revision} of ${id}: ids or revisions must differ.`)
    models.set(key, model)
  }
  return models
}

/** What new requests are offered: of each id the first. */
const offered = (models: readonly OpenModel[]): OpenModel[] =>
  models.filter(({ manifest: { id } }, place) => models.findIndex((other) => other.manifest.id === id) === place)

/** Metrics, where they are wanted: others are spared the library. */
const openMetrics = async ({ metrics: address }: Readonly<Config>) => {
  if (!address) return undefined
  const { createMetrics } = await import('./observe/metrics.ts')
  const { serveMetrics } = await import('@nextscale/platform/metrics')
  const metrics = createMetrics()
  const stop = await serveMetrics(metrics.registry, address).catch((error: unknown) => {
    metrics.close()
    throw error
  })
  const close = () => {
    stop()
    metrics.close()
  }
  return { observer: metrics, stop: close }
}

/** Traces, where they are wanted: others are spared the libraries. */
const openTraces = async ({ tracing }: Readonly<Config>, log: Logger) => {
  if (!tracing) return undefined
  const { exportTraces } = await import('@nextscale/platform/traces')
  const { traceAttempts } = await import('./observe/trace-attempts.ts')
  const { tracer, close } = exportTraces(tracing, log)
  return { observer: traceAttempts(tracer), close }
}

/**
 * Waits for Redis for as long as it takes.
 * @throws ConfigError when its user may not do what a runner needs.
 */
const openRedis = async ({ redisUrl, redisPrefix }: Readonly<Config>, keys: RedisKeys, log: Logger) => {
  const redis = connectWorker(redisUrl, log, { isTold: true })
  if (redis.status !== 'ready') await new Promise<void>((resolve) => redis.once('ready', () => resolve()))
  const lack = await lackOfCommands(redis, keys, redisPrefix)
  if (lack !== undefined) throw new ConfigError(lack)
  return { redis, subscriber: connectWorker(redisUrl, log) }
}

export interface Runner {
  /**
   * Stops in reverse order of the start; unfinished generations go back into the queue. Says `abandoned` when Redis did
   * not take them back in time.
   */
  stop(): ReturnType<RunningWorker['stop']>
}

/**
 * Starts everything a runner needs and takes generations off the queue.
 * @throws ModelError when a model cannot be served, ConfigError when a setting cannot be used.
 */
export const startRunner = async (config: Readonly<Config>, log: Logger): Promise<Runner> => {
  const keys = redisKeys(config.redisPrefix)
  const models = await openModels(config.models)
  const metrics = await openMetrics(config)
  const traces = await openTraces(config, log)
  const sampler = await Sampler.start([...models.values()], {
    form: config.form,
    timeoutMs: config.samplerTimeoutMs,
    onRestart: () => metrics?.observer.samplerRestarted(),
    log
  })
  const store = await openObjectStore(config.objectStore, 'writing')
  const { redis, subscriber } = await openRedis(config, keys, log)
  const cancels = await createCancelWatch(redis, subscriber, keys, log)
  const liveEvents = await createLiveEvents({
    redis,
    keys,
    log,
    onAnnounced: (event, outcome) => metrics?.observer.eventAnnounced(event, outcome)
  })
  const speed = createSpeed()
  const optional = [metrics, traces].flatMap((observing) => observing?.observer ?? [])
  const observer = observeWith([speed, logAttempts(log), ...optional])
  const batcher = createBatcher(observeSampler(sampler, observer), { maxBatch: config.maxBatch, windowMs: config.batchWindowMs })
  const { concurrency, lockDurationMs, stalledIntervalMs, graceMs } = config
  // One batch runs while the next gathers.
  const maxImages = 2 * config.maxBatch
  const options = { connection: redis, keys, concurrency, maxImages, lockDurationMs, stalledIntervalMs, graceMs }
  const takeUp = createTakeUp(redis, keys)
  const context = { models, form: config.form.form, batcher, store, cancels, takeUp, liveEvents, log }
  const worker = startWorker(options, context, log, observer)
  const stopAnnouncing = announceModels(redis, keys, { models: offered([...models.values()]), form: config.form.form }, log)
  const withdraw = await announceRunner(redis, keys, { models, maxBatch: config.maxBatch, speed }, log)
  log.info({ models: [...models.keys()], ...config.form, maxBatch: config.maxBatch }, 'runner ready')
  return {
    stop: async () => {
      stopAnnouncing()
      // Not waited for: with Redis away it would be for ever, and the card goes stale by itself.
      withdraw().catch((error: unknown) => log.debug({ err: error }, 'the card of this runner stays until it is stale'))
      const outcome = await worker.stop()
      await sampler.close()
      store.close()
      await liveEvents.close()
      subscriber.disconnect()
      redis.disconnect()
      metrics?.stop()
      await traces?.close()
      return outcome
    }
  }
}
