import { type RedisKeys, redisKeys } from '@nextscale/openapi'
import { connectWorker, lackOfCommands } from '@nextscale/platform'
import type { Logger } from 'pino'
import { announceModels } from './announce/models.ts'
import { announceRunner } from './announce/runner.ts'
import { ConfigError } from '@nextscale/platform/config'
import type { Config } from './config.ts'
import { ModelError } from './errors.ts'
import { keyOf } from './model/model-ref.ts'
import type { ServedModel } from './families/family.ts'
import { loadFamilies, SHIPPED_FAMILIES } from './families/load-families.ts'
import { openModelSource } from './open-model-source.ts'
import { openObjectStore } from '@nextscale/platform/object-store'
import { logAttempts } from './observe/log-attempts.ts'
import type { RunnerMetrics } from './observe/metrics.ts'
import { observeSampler } from './observe/observe-sampler.ts'
import { observeWith } from './observe/observer.ts'
import { createSpeed } from './observe/speed.ts'
import { Sampler } from './sampler/sampler.ts'
import { createLiveEvents } from './worker/announce-events.ts'
import { createBatcher } from './worker/batcher.ts'
import { createCancelWatch } from './worker/cancel-watch.ts'
import { HANDLERS } from './worker/kinds/table.ts'
import { createTakeUp } from './worker/take-up.ts'
import { NO_PROTECTION, protectTask } from './worker/protect-task.ts'
import { type RunningWorker, startWorker } from './worker/worker.ts'

/** Opens models, by `keyOf` their ids and revisions. Of one id there may be several revisions: the first is offered, all are served. */
const openModels = async ({ config, log, families }: Start, closers: Closers): Promise<Map<string, ServedModel>> => {
  const models = new Map<string, ServedModel>()
  const source = await openModelSource(config, await loadFamilies(families), log)
  closers.defer(() => source.close())
  for (const named of config.models) {
    const model = await source.open(named)
    const { id, revision } = model
    const key = keyOf(model)
    if (models.has(key))
      throw new ModelError(`MODELS names two folders with revision ${revision} of ${id}: ids or revisions must differ.`)
    models.set(key, model)
  }
  return models
}

/** What new requests are offered: of each id the first. */
const offered = (models: readonly ServedModel[]): ServedModel[] =>
  models.filter(({ id }, place) => models.findIndex((other) => other.id === id) === place)

/** What is open, and how it is closed: last opened, first closed. */
type Closers = Pick<AsyncDisposableStack, 'defer'>

/** What serves metrics, and whether the runner is ready, where that is wanted: others are spared the library. */
const openMetrics = async ({ metrics: address, pool }: Readonly<Config>, closers: Closers) => {
  if (!address) return undefined
  const { createMetrics } = await import('./observe/metrics.ts')
  const { createReadiness, redisAnswers, serveMetrics } = await import('@nextscale/platform/metrics')
  const metrics = createMetrics(pool)
  closers.defer(() => metrics.close())
  const readiness = createReadiness('Models are being opened.')
  const stop = await serveMetrics(metrics.registry, address, readiness)
  closers.defer(() => stop())
  return { metrics, readiness, redisAnswers }
}

type Observed = Awaited<ReturnType<typeof openMetrics>>

/** Traces, where they are wanted: others are spared the libraries. */
const openTraces = async ({ tracing }: Readonly<Config>, closers: Closers, log: Logger) => {
  if (!tracing) return undefined
  const { exportTraces } = await import('@nextscale/platform/traces')
  const { traceAttempts } = await import('./observe/trace-attempts.ts')
  const { tracer, close } = exportTraces(tracing, log)
  closers.defer(close)
  return traceAttempts(tracer)
}

/**
 * Waits for Redis for as long as it takes.
 * @throws ConfigError when its user may not do what a runner needs.
 */
const openRedis = async (config: Readonly<Config>, keys: RedisKeys, closers: Closers, log: Logger) => {
  const redis = connectWorker(config, log, { isTold: true })
  closers.defer(() => redis.disconnect())
  if (redis.status !== 'ready') await new Promise<void>((resolve) => redis.once('ready', () => resolve()))
  const lack = await lackOfCommands(redis, keys, config.redisPrefix)
  if (lack !== undefined) throw new ConfigError(lack)
  const subscriber = connectWorker(config, log)
  closers.defer(() => subscriber.disconnect())
  return { redis, subscriber }
}

type RunnerEnd = Awaited<ReturnType<RunningWorker['stop']>>

export interface Runner {
  /**
   * Stops in reverse order of the start; unfinished generations go back into the queue. Says `abandoned` when Redis did
   * not take them back in time.
   */
  stop(): Promise<RunnerEnd>
}

/** What a runner is started with. */
interface Start {
  config: Readonly<Config>
  log: Logger
  families: string
}

/** Opens all that generations are made with. */
const openParts = async (start: Start, observed: Observed, keys: RedisKeys, closers: Closers) => {
  const { config, log, families } = start
  const { metrics, readiness } = observed ?? {}
  const models = await openModels(start, closers)
  const traces = await openTraces(config, closers, log)
  readiness?.needs(() => 'The sampler loads the models.')
  const sampler = await Sampler.start([...models.values()], {
    form: config.sampler,
    families,
    timeoutMs: config.samplerTimeoutMs,
    memoryBytes: config.modelsMemory,
    onRestart: () => metrics?.samplerRestarted(),
    ...(metrics && { listener: metrics.memory }),
    log
  })
  closers.defer(() => sampler.close())
  readiness?.needs(() => 'Redis cannot be reached.')
  const store = await openObjectStore(config.objectStore, 'writing')
  closers.defer(() => store.close())
  const { redis, subscriber } = await openRedis(config, keys, closers, log)
  const cancels = await createCancelWatch(redis, subscriber, keys, log)
  const onAnnounced: RunnerMetrics['eventAnnounced'] = (event, outcome) => metrics?.eventAnnounced(event, outcome)
  const liveEvents = await createLiveEvents({ redis, keys, log, onAnnounced })
  closers.defer(() => liveEvents.close())
  const speed = createSpeed()
  const observer = observeWith([speed, logAttempts(log), ...(metrics ? [metrics] : []), ...(traces ? [traces] : [])])
  const batcher = createBatcher(observeSampler(sampler, observer), {
    maxBatch: config.maxBatch,
    windowMs: config.batchWindowMs,
    isReady: (model) => sampler.isReady(model)
  })
  const takeUp = createTakeUp(redis, keys, config.pool)
  return {
    models,
    redis,
    sampler,
    speed,
    observer,
    context: { models, handlers: HANDLERS, form: config.sampler.form, batcher, store, cancels, takeUp, liveEvents, log }
  }
}

/** Takes generations off the queue, and tells of itself. `ended` says how the worker ended, once it has. */
const work = async (start: Start, keys: RedisKeys, closers: AsyncDisposableStack) => {
  const { config, log } = start
  // First, since probes ask while models are opened, and last to be closed.
  const observed = await openMetrics(config, closers)
  const { models, redis, sampler, speed, observer, context } = await openParts(start, observed, keys, closers)
  const { pool, concurrency, lockDurationMs, stalledIntervalMs, graceMs } = config
  // One batch runs while the next gathers.
  const maxImages = 2 * config.maxBatch
  const options = { connection: redis, keys, pool, concurrency, maxImages, lockDurationMs, stalledIntervalMs, graceMs }
  const protection = config.ecsAgent === undefined ? NO_PROTECTION : protectTask(config.ecsAgent, log)
  closers.defer(() => protection.close())
  const worker = startWorker({ ...options, protection }, context, log, observer)
  const ended = Promise.withResolvers<RunnerEnd>()
  closers.defer(async () => ended.resolve(await worker.stop()))
  closers.defer(announceModels(redis, keys, { models: offered([...models.values()]), form: config.sampler.form, pool }, log))
  const withdraw = await announceRunner(redis, keys, { pool, models, maxBatch: config.maxBatch, speed }, log)
  // Not waited for: with Redis away it would be for ever, and the card goes stale by itself.
  closers.defer(() => {
    withdraw().catch((error: unknown) => log.debug({ err: error }, 'the card of this runner stays until it is stale'))
  })
  observed?.readiness.needs(
    () => (sampler.isUp ? undefined : 'The sampler is being started again.'),
    observed.redisAnswers(redis)
  )
  closers.defer(() => observed?.readiness.stop())
  log.info({ pool, models: [...models.keys()], ...config.sampler, maxBatch: config.maxBatch }, 'runner ready')
  return { ended: ended.promise }
}

/**
 * Starts everything a runner needs and takes generations off the queue. What was opened is closed again when something
 * cannot be. `families` is the URL of the module that exports the table of families: the sampler process imports it as well.
 * @throws ModelError when a model cannot be served, ConfigError when a setting cannot be used.
 */
export const startRunner = async (
  config: Readonly<Config>,
  log: Logger,
  families: string = SHIPPED_FAMILIES
): Promise<Runner> => {
  const closers = new AsyncDisposableStack()
  try {
    const { ended } = await work({ config, log, families }, redisKeys(config.redisPrefix), closers)
    return {
      stop: async () => {
        await closers.disposeAsync()
        return ended
      }
    }
  } catch (error) {
    await closers.disposeAsync()
    throw error
  }
}
