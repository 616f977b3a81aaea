import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DEFAULT_POOL, POOL_FORM, POOL_PATTERN } from '@nextscale/openapi'
import {
  ConfigError,
  type Environment,
  type LogConfig,
  type MetricsAddress,
  type ObjectStoreConfig,
  readChoice,
  readInteger,
  readList,
  readLog,
  readMetricsAddress,
  readObjectStore,
  readPattern,
  readRecovery,
  readRedis,
  readS3Access,
  readSize,
  readString,
  readTracing,
  readUrl,
  type RecoveryConfig,
  type RedisConfig,
  type S3Access,
  type TracingConfig
} from '@nextscale/platform/config'
import { isModelUrl, readModelUrl } from './bucket/model-url.ts'
import { PRECISIONS } from './sampler/sampler-form.ts'
import type { SamplerForm } from './sampler/sampler-form.ts'

export interface Config extends RedisConfig, RecoveryConfig, LogConfig {
  /** The set of runners it belongs to, which serve the same models and take from one queue. */
  pool: string
  /** Model folders, and addresses of such in buckets; the first holds the default model. */
  models: readonly string[]
  /** Bytes that the weights in memory may take; unset means no limit. */
  modelsMemory: number | undefined
  /** How model folders in buckets are fetched; unset where `MODELS` names none. */
  modelBuckets: BucketConfig | undefined
  objectStore: ObjectStoreConfig
  maxBatch: number
  /** How long after a batch the next one may gather. */
  batchWindowMs: number
  concurrency: number
  sampler: SamplerForm
  graceMs: number
  /** Agent of ECS, which protects the task from being ended by a scale-in; unset outside of ECS. */
  ecsAgent: string | undefined
  /** A sampler process that is silent for longer during a batch is replaced. */
  samplerTimeoutMs: number
  /** Where metrics are served; unset means nowhere. */
  metrics: MetricsAddress | undefined
  /** Unset means that no traces are made. */
  tracing: TracingConfig | undefined
}

export interface BucketConfig {
  /** Folder in which they are kept. */
  cache: string
  access: S3Access
}

const RUNNER = fileURLToPath(new URL('..', import.meta.url))
const SHIPPED_MODEL = resolve(RUNNER, 'models/emoji-32')

/** A folder is looked for in the working directory, then here, where the shipped models are. */
const folderOf = (named: string): string => {
  const [here, shipped] = [resolve(named), resolve(RUNNER, named)]
  return !existsSync(here) && existsSync(shipped) ? shipped : here
}

const modelPlace = (named: string): string => {
  if (!isModelUrl(named)) return folderOf(named)
  const read = readModelUrl(named)
  if ('fault' in read) throw new ConfigError(`MODELS has "${named}", which is not the address of a model: ${read.fault}.`)
  return read.url
}

/** What MODELS names: folders as absolute paths, and addresses of such in buckets. */
export const namedModels = (env: Environment = process.env): string[] => readList(env, 'MODELS').map(modelPlace)

const models = (env: Environment): string[] => {
  const named = namedModels(env)
  return named.length > 0 ? named : [SHIPPED_MODEL]
}

const readPool = (env: Environment): string => readPattern(env, 'POOL', POOL_PATTERN, POOL_FORM) ?? DEFAULT_POOL

/** How buckets of models are reached. */
export const s3Access = (env: Environment = process.env): S3Access => readS3Access(env)

const modelBuckets = (env: Environment): BucketConfig | undefined => {
  if (!namedModels(env).some(isModelUrl)) return undefined
  return Object.freeze({ cache: resolve(readString(env, 'MODELS_CACHE_DIR') ?? '.nextscale/models'), access: s3Access(env) })
}

/** Batch sizes up to the largest: by default its powers of two. */
const batchLadder = (env: Environment, maxBatch: number): number[] => {
  const text = readString(env, 'BATCH_LADDER')
  if (text === undefined) return [...Array.from({ length: Math.ceil(Math.log2(maxBatch)) }, (_, power) => 2 ** power), maxBatch]
  const sizes = text.split(',').map(Number)
  const isLadder = sizes.every((size, i) => Number.isInteger(size) && size > (sizes[i - 1] ?? 0))
  if (isLadder && sizes.at(-1) === maxBatch) return sizes
  throw new ConfigError(`BATCH_LADDER must be growing integers that end with MAX_BATCH (${maxBatch}), like "1,4,${maxBatch}".`)
}

const samplerForm = (env: Environment, maxBatch: number): SamplerForm => {
  const provider = readChoice(env, 'EXECUTION_PROVIDER', ['cpu', 'cuda'], 'cpu')
  if (provider === 'cuda') {
    const float = readChoice(env, 'PRECISION', ['fp16', 'fp32'], 'fp16') === 'fp16' ? 'float16' : 'float'
    return { form: 'fused', provider, float, ladder: batchLadder(env, maxBatch) }
  }
  const cache = readString(env, 'CACHE_DIR') ?? '.nextscale/cache'
  return {
    form: 'step',
    threads: readInteger(env, 'THREADS', availableParallelism(), 1, 1_024),
    precision: readString(env, 'PRECISION') === undefined ? null : readChoice(env, 'PRECISION', PRECISIONS, 'fp32'),
    cache: cache === 'none' ? null : resolve(cache)
  }
}

/**
 * Reads the settings.
 * @throws ConfigError in one sentence that says what to set.
 */
export const readConfig = (env: Environment = process.env): Readonly<Config> => {
  const maxBatch = readInteger(env, 'MAX_BATCH', 16, 1, 256)
  return Object.freeze({
    ...readRedis(env),
    ...readRecovery(env),
    ...readLog(env),
    pool: readPool(env),
    models: models(env),
    modelsMemory: readSize(env, 'MODELS_MEMORY'),
    modelBuckets: modelBuckets(env),
    objectStore: readObjectStore(env),
    maxBatch,
    batchWindowMs: readInteger(env, 'BATCH_WINDOW_MS', 10, 0, 1_000),
    concurrency: readInteger(env, 'CONCURRENCY', 2 * maxBatch, 1, 1_024),
    sampler: samplerForm(env, maxBatch),
    samplerTimeoutMs: readInteger(env, 'SAMPLER_TIMEOUT_MS', 600_000, 1_000, 86_400_000),
    graceMs: readInteger(env, 'GRACE_MS', 5_000, 0, 600_000),
    ecsAgent: readUrl(env, 'ECS_AGENT_URI', ['http:', 'https:']),
    metrics: readMetricsAddress(env),
    tracing: readTracing(env, 'nextscale-runner')
  })
}
