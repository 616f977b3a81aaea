import { MAX_WAIT_SECONDS, MODEL_ID_PATTERN } from '@nextscale/openapi'
import {
  type Environment,
  type LogConfig,
  type ObjectStoreConfig,
  readChoice,
  readInteger,
  readLog,
  readObjectStore,
  readPattern,
  readRedis,
  readString,
  readTracing,
  readUrl,
  type RedisConfig,
  type TracingConfig
} from '@nextscale/platform/config'
import { type EgressConfig, readEgress, readWebhooks, type WebhooksConfig } from './config-webhooks.ts'
import { readOrigins } from './http/read-origins.ts'
import { readTrustedProxies, type TrustedProxies } from './http/trust-proxy.ts'

export interface Config extends RedisConfig, LogConfig {
  readonly host: string
  readonly port: number
  /** Whether requests without an API key are always taken; else only on loopback, as long as there is no key. */
  readonly unauthenticated: 'allow' | 'refuse'
  readonly publicUrl: string | undefined
  readonly trustedProxies: TrustedProxies | undefined
  /** Origins of the pages that may use the API; `*` for all of those that send a key. */
  readonly corsOrigins: readonly string[] | '*'
  /** How long a server told to stop goes on serving, so that load balancers see it is not ready any more. */
  readonly shutdownDelayMs: number
  /** What a wait is cut to, below what stands before the server takes for a hang. */
  readonly maxWaitSeconds: number
  readonly defaultModel: string | undefined
  readonly queueLimit: number
  /** How many replicas of Redis must have what a request wrote before it is answered; 0 does not wait. */
  readonly redisWaitReplicas: number
  /** Event streams and waits that one process holds open. */
  readonly maxStreams: number
  /** How often a comment is sent on an idle event stream. */
  readonly heartbeatMs: number
  readonly bodyLimitBytes: number
  /** What a request may take to arrive, from its first byte to its last. */
  readonly requestTimeoutMs: number
  readonly egress: EgressConfig
  readonly webhooks: WebhooksConfig
  readonly objectStore: ObjectStoreConfig
  /** Unset means that no traces are made. */
  readonly tracing: TracingConfig | undefined
}

const BODY_LIMIT_BYTES = 65_536
const REQUEST_TIMEOUT_MS = 30_000

/** Reads the environment once. Throws a ConfigError whose message is the sentence to show. */
export const readConfig = (env: Environment = process.env): Config =>
  Object.freeze({
    host: readString(env, 'HOST') ?? '127.0.0.1',
    port: readInteger(env, 'PORT', 8080, 1, 65_535),
    unauthenticated: readChoice(env, 'UNAUTHENTICATED', ['allow', 'refuse'], 'refuse'),
    ...readRedis(env),
    publicUrl: readUrl(env, 'PUBLIC_URL', ['http:', 'https:']),
    trustedProxies: readTrustedProxies(env),
    corsOrigins: readOrigins(env, 'CORS_ORIGINS'),
    shutdownDelayMs: readInteger(env, 'SHUTDOWN_DELAY_MS', 0, 0, 300_000),
    maxWaitSeconds: MAX_WAIT_SECONDS,
    ...readLog(env),
    defaultModel: readPattern(env, 'DEFAULT_MODEL', new RegExp(MODEL_ID_PATTERN), 'a model id such as "emoji-32"'),
    redisWaitReplicas: readInteger(env, 'REDIS_WAIT_REPLICAS', 0, 0, 10),
    queueLimit: readInteger(env, 'QUEUE_LIMIT', 1_000_000, 1, 1_000_000_000),
    maxStreams: readInteger(env, 'MAX_STREAMS', 10_000, 1, 1_000_000),
    heartbeatMs: readInteger(env, 'HEARTBEAT_MS', 15_000, 10, 60_000),
    bodyLimitBytes: BODY_LIMIT_BYTES,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    egress: readEgress(env),
    webhooks: readWebhooks(env),
    objectStore: readObjectStore(env),
    tracing: readTracing(env, 'nextscale-api')
  })
