import { resolve } from 'node:path'
import { DEFAULT_PREFIX } from '@nextscale/openapi'
import { ConfigError, type Environment, readChoice, readInteger, readPattern, readShare, readString, readUrl } from './readers.ts'
import { readSecret } from './read-secret.ts'
import { type RedisAccess, type RedisIam, readRedisAccess, readRedisIam, readRedisSecretArn } from './redis-access.ts'

/*
 * The settings that more than one process has. Each is read here and nowhere else, so that one environment means the same to
 * all of them.
 */

export interface RedisConfig extends RedisAccess {
  readonly redisPrefix: string
  /** Where the URL or the password is, in AWS Secrets Manager. */
  readonly redisSecretArn: string | undefined
  readonly redisIam: RedisIam | undefined
}

interface LinkConfig {
  readonly linkTtlSeconds: number
}

export interface DiskStoreConfig extends LinkConfig {
  readonly kind: 'disk'
  readonly directory: string
  /** Key of the links; unset means a secret file in the directory. */
  readonly linkSecret: string | undefined
}

/** How an S3 server is reached. */
export interface S3Access {
  /** Unset means that of AWS. */
  readonly endpoint: string | undefined
  readonly region: string
  readonly forcePathStyle: boolean
}

export interface S3StoreConfig extends LinkConfig, S3Access {
  readonly kind: 's3'
  readonly bucket: string
  /** What links name in its place, where clients reach the store by another address. */
  readonly publicEndpoint: string | undefined
  /** Put before every key, with its closing slash; empty for none. */
  readonly keyPrefix: string
}

export type ObjectStoreConfig = DiskStoreConfig | S3StoreConfig

export interface TracingConfig {
  /** Where OTLP/HTTP takes traces. */
  readonly url: string
  readonly serviceName: string
  /** Share of the traces begun here that is kept; those that callers began are kept if theirs are. */
  readonly share: number
}

export interface LogConfig {
  readonly logLevel: (typeof LOG_LEVELS)[number]
  readonly logFormat: 'json' | 'pretty'
}

export interface MetricsAddress {
  readonly host: string
  readonly port: number
}

/** What runners and the control process must agree on about runners that are lost. */
export interface RecoveryConfig {
  /** How long a runner that is lost keeps its generations. */
  readonly lockDurationMs: number
  /** How often jobs of lost runners are looked for. */
  readonly stalledIntervalMs: number
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const MAX_LINK_TTL_SECONDS = 604_800
const MIN_LINK_SECRET = 32
const HTTP = ['http:', 'https:']

export const readRedisPrefix = (env: Environment): string =>
  readPattern(env, 'REDIS_PREFIX', /^[a-z0-9-]{1,64}$/, '1 to 64 lower-case letters, digits and "-"') ?? DEFAULT_PREFIX

export const readRedis = (env: Environment): RedisConfig => ({
  ...readRedisAccess(env),
  redisSecretArn: readRedisSecretArn(env),
  redisIam: readRedisIam(env),
  redisPrefix: readRedisPrefix(env)
})

/** How S3 is reached, by whatever is in a bucket: pictures, and model folders. */
export const readS3Access = (env: Environment): S3Access => {
  const endpoint = readUrl(env, 'S3_ENDPOINT', HTTP)
  return Object.freeze({
    endpoint,
    region: readString(env, 'S3_REGION') ?? readString(env, 'AWS_REGION') ?? 'us-east-1',
    forcePathStyle: readChoice(env, 'S3_FORCE_PATH_STYLE', ['true', 'false'], endpoint ? 'true' : 'false') === 'true'
  })
}

const readS3Store = (env: Environment, bucket: string): S3StoreConfig => {
  const prefix = readPattern(
    env,
    'S3_PREFIX',
    /^[A-Za-z0-9][A-Za-z0-9._/-]*$/,
    'a key prefix of letters, digits, ".", "_", "-" and "/" that does not start with "/"'
  )
  return {
    kind: 's3',
    bucket,
    ...readS3Access(env),
    publicEndpoint: readUrl(env, 'S3_PUBLIC_ENDPOINT', HTTP),
    keyPrefix: prefix === undefined || prefix.endsWith('/') ? (prefix ?? '') : `${prefix}/`,
    linkTtlSeconds: readLinkTtl(env)
  }
}

const readLinkTtl = (env: Environment): number => readInteger(env, 'LINK_TTL_SECONDS', 3600, 1, MAX_LINK_TTL_SECONDS)

const readDiskStore = (env: Environment): DiskStoreConfig => {
  const linkSecret = readSecret(env, 'LINK_SECRET')
  if (linkSecret !== undefined && linkSecret.length < MIN_LINK_SECRET) {
    throw new ConfigError(
      `LINK_SECRET must have at least ${MIN_LINK_SECRET} characters, not ${linkSecret.length}: \`openssl rand -hex 32\` makes one.`
    )
  }
  return {
    kind: 'disk',
    directory: resolve(readString(env, 'OBJECT_DIR') ?? '.nextscale/objects'),
    linkSecret,
    linkTtlSeconds: readLinkTtl(env)
  }
}

/** Where pictures are: a bucket where one is named, else a directory. */
export const readObjectStore = (env: Environment): ObjectStoreConfig => {
  const bucket = readString(env, 'S3_BUCKET')
  return Object.freeze(bucket === undefined ? readDiskStore(env) : readS3Store(env, bucket))
}

/** Where traces go; undefined means that none are made. */
export const readTracing = (env: Environment, serviceName: string): TracingConfig | undefined => {
  const endpoint = readUrl(env, 'OTEL_EXPORTER_OTLP_ENDPOINT', HTTP)
  const share = readShare(env, 'OTEL_TRACES_SAMPLER_ARG', 1)
  if (endpoint === undefined) return undefined
  return { url: `${endpoint}/v1/traces`, serviceName: readString(env, 'OTEL_SERVICE_NAME') ?? serviceName, share }
}

export const readLog = (env: Environment): LogConfig => ({
  logLevel: readChoice(env, 'LOG_LEVEL', LOG_LEVELS, 'info'),
  logFormat: readChoice(env, 'LOG_FORMAT', ['json', 'pretty'], 'json')
})

/** Where a process without an API serves its metrics; undefined means nowhere. */
export const readMetricsAddress = (env: Environment): MetricsAddress | undefined => {
  if (readString(env, 'METRICS_PORT') === undefined) return undefined
  return { host: readString(env, 'METRICS_HOST') ?? '127.0.0.1', port: readInteger(env, 'METRICS_PORT', 0, 1, 65_535) }
}

export const readRecovery = (env: Environment): RecoveryConfig => ({
  lockDurationMs: readInteger(env, 'LOCK_DURATION_MS', 30_000, 1_000, 600_000),
  stalledIntervalMs: readInteger(env, 'STALLED_INTERVAL_MS', 15_000, 500, 600_000)
})
