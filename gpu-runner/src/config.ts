import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DEFAULT_PREFIX } from '@nextscale/openapi'
import { faultOfRedisUrl } from '@nextscale/platform'
import { PRECISIONS } from './model/manifest.ts'
import type { S3Options } from './object-store/s3.ts'
import type { MetricsAddress } from './observe/serve-metrics.ts'
import type { SamplerForm } from './sampler/open-sampler.ts'

export type StoreConfig = ({ kind: 's3' } & S3Options) | { kind: 'disk'; folder: string }

export interface TracingConfig {
  /** Where OTLP/HTTP takes traces. */
  url: string
  serviceName: string
  /** Share of the traces begun here that is kept; those begun by requests are kept if theirs are. */
  share: number
}

export interface Config {
  redisUrl: string
  redisPrefix: string
  /** Model folders; the first holds the default model. */
  models: readonly string[]
  store: StoreConfig
  maxBatch: number
  /** How long after a batch the next one may gather. */
  batchWindowMs: number
  concurrency: number
  form: SamplerForm
  lockDurationMs: number
  stalledIntervalMs: number
  graceMs: number
  /** A sampler process that is silent for longer during a batch is replaced. */
  samplerTimeoutMs: number
  /** Where metrics are served; null = nowhere. */
  metrics: MetricsAddress | null
  /** Null = no traces are made. */
  tracing: TracingConfig | null
  logLevel: string
  logFormat: 'json' | 'pretty'
}

/** A setting that cannot be used. The message says what to set. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

type Environment = Readonly<Record<string, string | undefined>>

const SHIPPED_MODEL = fileURLToPath(new URL('../models/emoji-32', import.meta.url))
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

const integer = (env: Environment, name: string, fallback: number, minimum: number, maximum: number): number => {
  const text = env[name]
  if (text === undefined || text === '') return fallback
  const value = Number(text)
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return value
  throw new ConfigError(`${name} must be an integer from ${minimum} to ${maximum}, not "${text}".`)
}

const choice = <const T extends string>(env: Environment, name: string, values: readonly T[], fallback: T): T => {
  const text = env[name]
  if (text === undefined || text === '') return fallback
  const value = values.find((candidate) => candidate === text)
  if (value !== undefined) return value
  throw new ConfigError(`${name} must be one of ${values.join(', ')}, not "${text}".`)
}

const redisUrl = (env: Environment): string => {
  const text = env['REDIS_URL'] || 'redis://127.0.0.1:6379'
  const fault = faultOfRedisUrl(text)
  if (fault === undefined) return text
  throw new ConfigError(`REDIS_URL ${fault}`)
}

const redisPrefix = (env: Environment): string => {
  const text = env['REDIS_PREFIX'] || DEFAULT_PREFIX
  if (/^[a-z0-9-]{1,64}$/.test(text)) return text
  throw new ConfigError(`REDIS_PREFIX may have lower-case letters, digits and hyphens, not "${text}".`)
}

const s3Prefix = (text: string): string => (text === '' || text.endsWith('/') ? text : `${text}/`)

const store = (env: Environment): StoreConfig => {
  const bucket = env['S3_BUCKET']
  if (!bucket) return { kind: 'disk', folder: resolve(env['OBJECT_DIR'] || '.nextscale/objects') }
  const endpoint = env['S3_ENDPOINT'] || undefined
  if (endpoint && !URL.canParse(endpoint)) throw new ConfigError(`S3_ENDPOINT must be a URL, not "${endpoint}".`)
  return {
    kind: 's3',
    bucket,
    endpoint,
    region: env['S3_REGION'] || 'us-east-1',
    forcePathStyle: choice(env, 'S3_FORCE_PATH_STYLE', ['true', 'false'], endpoint ? 'true' : 'false') === 'true',
    prefix: s3Prefix(env['S3_PREFIX'] ?? '')
  }
}

/** Folders that MODELS names, as absolute paths. */
export const namedModels = (env: Environment = process.env): string[] => {
  const folders = (env['MODELS'] ?? '').split(',').map((folder) => folder.trim())
  return folders.filter((folder) => folder !== '').map((folder) => resolve(folder))
}

const models = (env: Environment): string[] => {
  const named = namedModels(env)
  return named.length > 0 ? named : [SHIPPED_MODEL]
}

/** Batch sizes up to the largest: by default its powers of two. */
const batchLadder = (env: Environment, maxBatch: number): number[] => {
  const text = env['BATCH_LADDER']
  if (!text) return [...Array.from({ length: Math.ceil(Math.log2(maxBatch)) }, (_, power) => 2 ** power), maxBatch]
  const sizes = text.split(',').map(Number)
  const isLadder = sizes.every((size, i) => Number.isInteger(size) && size > (sizes[i - 1] ?? 0))
  if (isLadder && sizes.at(-1) === maxBatch) return sizes
  throw new ConfigError(`BATCH_LADDER must be growing integers that end with MAX_BATCH (${maxBatch}), like "1,4,${maxBatch}".`)
}

const samplerForm = (env: Environment, maxBatch: number): SamplerForm => {
  const provider = choice(env, 'EXECUTION_PROVIDER', ['cpu', 'cuda'], 'cpu')
  if (provider === 'cuda') {
    const float = choice(env, 'PRECISION', ['fp16', 'fp32'], 'fp16') === 'fp16' ? 'float16' : 'float'
    return { form: 'fused', provider, float, ladder: batchLadder(env, maxBatch) }
  }
  const cache = env['CACHE_DIR'] || '.nextscale/cache'
  return {
    form: 'step',
    threads: integer(env, 'THREADS', availableParallelism(), 1, 1_024),
    precision: env['PRECISION'] ? choice(env, 'PRECISION', PRECISIONS, 'fp32') : null,
    cache: cache === 'none' ? null : resolve(cache)
  }
}

const share = (env: Environment, name: string): number => {
  const text = env[name]
  if (text === undefined || text === '') return 1
  const value = Number(text)
  if (value >= 0 && value <= 1) return value
  throw new ConfigError(`${name} must be a number from 0 to 1, not "${text}".`)
}

const tracing = (env: Environment): TracingConfig | null => {
  const kept = share(env, 'OTEL_TRACES_SAMPLER_ARG')
  const endpoint = env['OTEL_EXPORTER_OTLP_ENDPOINT']
  if (!endpoint) return null
  // The text is not repeated, since it may hold a password.
  if (!URL.canParse(endpoint) || !['http:', 'https:'].includes(new URL(endpoint).protocol))
    throw new ConfigError('OTEL_EXPORTER_OTLP_ENDPOINT must be an absolute URL that starts with http:// or https://.')
  const serviceName = env['OTEL_SERVICE_NAME'] || 'nextscale-runner'
  return { url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, serviceName, share: kept }
}

/**
 * Reads the settings.
 * @throws ConfigError in one sentence that says what to set.
 */
export const readConfig = (env: Environment = process.env): Readonly<Config> => {
  const maxBatch = integer(env, 'MAX_BATCH', 16, 1, 256)
  return Object.freeze({
    redisUrl: redisUrl(env),
    redisPrefix: redisPrefix(env),
    models: models(env),
    store: store(env),
    maxBatch,
    batchWindowMs: integer(env, 'BATCH_WINDOW_MS', 10, 0, 1_000),
    concurrency: integer(env, 'CONCURRENCY', 2 * maxBatch, 1, 1_024),
    form: samplerForm(env, maxBatch),
    lockDurationMs: integer(env, 'LOCK_DURATION_MS', 30_000, 1_000, 600_000),
    stalledIntervalMs: integer(env, 'STALLED_INTERVAL_MS', 15_000, 500, 600_000),
    samplerTimeoutMs: integer(env, 'SAMPLER_TIMEOUT_MS', 600_000, 1_000, 86_400_000),
    graceMs: integer(env, 'GRACE_MS', 5_000, 0, 600_000),
    metrics: env['METRICS_PORT']
      ? { host: env['METRICS_HOST'] || '127.0.0.1', port: integer(env, 'METRICS_PORT', 0, 1, 65_535) }
      : null,
    tracing: tracing(env),
    logLevel: choice(env, 'LOG_LEVEL', LOG_LEVELS, 'info'),
    logFormat: choice(env, 'LOG_FORMAT', ['json', 'pretty'], 'json')
  })
}
