import { resolve } from 'node:path'
import { DEFAULT_PREFIX, MAX_WAIT_SECONDS, MODEL_ID_PATTERN } from '@nextscale/openapi'
import {
  ConfigError,
  readChoice,
  readInteger,
  readOrigins,
  readPattern,
  readShare,
  readString,
  readRedisUrl,
  readUrl
} from './config-readers.ts'
import { type EgressConfig, readEgress, readWebhooks, type WebhooksConfig } from './config-webhooks.ts'
import { readTrustedProxies, type TrustedProxies } from './http/trust-proxy.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface DiskStoreConfig {
  readonly kind: 'disk'
  readonly directory: string
  /** Key of the links; unset means a secret file in the directory. */
  readonly linkSecret: string | undefined
  readonly linkTtlSeconds: number
}

export interface S3StoreConfig {
  readonly kind: 's3'
  readonly bucket: string
  readonly endpoint: string | undefined
  /** What links name in its place, where clients reach the store by another address. */
  readonly publicEndpoint: string | undefined
  readonly region: string
  readonly forcePathStyle: boolean
  /** Put before every key, with its closing slash; empty for none. */
  readonly keyPrefix: string
  readonly linkTtlSeconds: number
}

export interface TracingConfig {
  /** Where OTLP/HTTP takes traces. */
  readonly url: string
  readonly serviceName: string
  /** Share of the traces begun here that is kept; those that callers began are kept if theirs are. */
  readonly share: number
}

export interface Config {
  readonly host: string
  readonly port: number
  /** Whether requests without an API key are always taken; else only on loopback, as long as there is no key. */
  readonly unauthenticated: 'allow' | 'refuse'
  readonly redisUrl: string
  readonly redisPrefix: string
  readonly publicUrl: string | undefined
  readonly trustedProxies: TrustedProxies | undefined
  /** Origins of the pages that may use the API; `*` for all of those that send a key. */
  readonly corsOrigins: readonly string[] | '*'
  /** How long a server told to stop goes on serving, so that load balancers see it is not ready any more. */
  readonly shutdownDelayMs: number
  /** What a wait is cut to, below what stands before the server takes for a hang. */
  readonly maxWaitSeconds: number
  readonly logLevel: (typeof LOG_LEVELS)[number]
  readonly logFormat: 'json' | 'pretty'
  readonly defaultModel: string | undefined
  readonly queueLimit: number
  /** Event streams and waits that one process holds open. */
  readonly maxStreams: number
  /** How often a comment is sent on an idle event stream. */
  readonly heartbeatMs: number
  readonly bodyLimitBytes: number
  /** What a request may take to arrive, from its first byte to its last. */
  readonly requestTimeoutMs: number
  readonly egress: EgressConfig
  readonly webhooks: WebhooksConfig
  readonly objectStore: DiskStoreConfig | S3StoreConfig
  /** Unset means that no traces are made. */
  readonly tracing: TracingConfig | undefined
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const MAX_LINK_TTL_SECONDS = 604_800
const BODY_LIMIT_BYTES = 65_536
const REQUEST_TIMEOUT_MS = 30_000

const readS3Store = (env: Environment, bucket: string): S3StoreConfig => {
  const endpoint = readUrl(env, 'S3_ENDPOINT', ['http:', 'https:'])
  const prefix = readPattern(
    env,
    'S3_PREFIX',
    /^[A-Za-z0-9][A-Za-z0-9._/-]*$/,
    'a key prefix of letters, digits, ".", "_", "-" and "/" that does not start with "/"'
  )
  return {
    kind: 's3',
    bucket,
    endpoint,
    publicEndpoint: readUrl(env, 'S3_PUBLIC_ENDPOINT', ['http:', 'https:']),
    region: readString(env, 'S3_REGION') ?? 'us-east-1',
    forcePathStyle: readChoice(env, 'S3_FORCE_PATH_STYLE', ['true', 'false'], endpoint ? 'true' : 'false') === 'true',
    keyPrefix: prefix === undefined || prefix.endsWith('/') ? (prefix ?? '') : `${prefix}/`,
    linkTtlSeconds: readInteger(env, 'LINK_TTL_SECONDS', 3600, 1, MAX_LINK_TTL_SECONDS)
  }
}

const readDiskStore = (env: Environment): DiskStoreConfig => {
  const linkSecret = readString(env, 'LINK_SECRET')
  if (linkSecret !== undefined && linkSecret.length < 32) {
    throw new ConfigError(
      `LINK_SECRET must have at least 32 characters, not ${linkSecret.length}: \`openssl rand -hex 32\` makes one.`
    )
  }
  return {
    kind: 'disk',
    directory: resolve(readString(env, 'OBJECT_DIR') ?? '.nextscale/objects'),
    linkSecret,
    linkTtlSeconds: readInteger(env, 'LINK_TTL_SECONDS', 3600, 1, MAX_LINK_TTL_SECONDS)
  }
}

const readTracing = (env: Environment): TracingConfig | undefined => {
  const endpoint = readUrl(env, 'OTEL_EXPORTER_OTLP_ENDPOINT', ['http:', 'https:'])
  const share = readShare(env, 'OTEL_TRACES_SAMPLER_ARG', 1)
  if (endpoint === undefined) return undefined
  return { url: `${endpoint}/v1/traces`, serviceName: readString(env, 'OTEL_SERVICE_NAME') ?? 'nextscale-api', share }
}

/** Reads the environment once. Throws a ConfigError whose message is the sentence to show. */
export const readConfig = (env: Environment = process.env): Config => {
  const bucket = readString(env, 'S3_BUCKET')
  return Object.freeze({
    host: readString(env, 'HOST') ?? '127.0.0.1',
    port: readInteger(env, 'PORT', 8080, 1, 65_535),
    unauthenticated: readChoice(env, 'UNAUTHENTICATED', ['allow', 'refuse'], 'refuse'),
    redisUrl: readRedisUrl(env) ?? 'redis://127.0.0.1:6379',
    redisPrefix: readPattern(env, 'REDIS_PREFIX', /^[a-z0-9-]+$/, 'lower-case letters, digits and "-"') ?? DEFAULT_PREFIX,
    publicUrl: readUrl(env, 'PUBLIC_URL', ['http:', 'https:']),
    trustedProxies: readTrustedProxies(env),
    corsOrigins: readOrigins(env, 'CORS_ORIGINS'),
    shutdownDelayMs: readInteger(env, 'SHUTDOWN_DELAY_MS', 0, 0, 300_000),
    maxWaitSeconds: MAX_WAIT_SECONDS,
    logLevel: readChoice(env, 'LOG_LEVEL', LOG_LEVELS, 'info'),
    logFormat: readChoice(env, 'LOG_FORMAT', ['json', 'pretty'], 'json'),
    defaultModel: readPattern(env, 'DEFAULT_MODEL', new RegExp(MODEL_ID_PATTERN), 'a model id such as "emoji-32"'),
    queueLimit: readInteger(env, 'QUEUE_LIMIT', 1_000_000, 1, 1_000_000_000),
    maxStreams: readInteger(env, 'MAX_STREAMS', 10_000, 1, 1_000_000),
    heartbeatMs: readInteger(env, 'HEARTBEAT_MS', 15_000, 10, 60_000),
    bodyLimitBytes: BODY_LIMIT_BYTES,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    egress: readEgress(env),
    webhooks: readWebhooks(env),
    objectStore: Object.freeze(bucket === undefined ? readDiskStore(env) : readS3Store(env, bucket)),
    tracing: readTracing(env)
  })
}
