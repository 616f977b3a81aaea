import { Redis, type RedisOptions } from 'ioredis'
import type { Log } from '../observe/log.ts'

const MAX_RECONNECT_DELAY_MS = 1000
/** Longer than any blocking command of a worker. */
const WORKER_SOCKET_TIMEOUT_MS = 15_000

const shared = {
  connectTimeout: 1500,
  disconnectTimeout: 500,
  retryStrategy: (attempt: number) => Math.min(50 * attempt, MAX_RECONNECT_DELAY_MS),
  // After a failover the old primary answers READONLY: connect anew to find the new one.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY')
} satisfies RedisOptions

/** Commands fail at once while there is no connection, which is tried again for ever in the background. */
const failingFast = { ...shared, enableOfflineQueue: false } satisfies RedisOptions

/** Logs when the connection is lost and when it is back, not every attempt in between. */
const logChanges = (redis: Redis, log: Log) => {
  let isUp: boolean | undefined
  redis.on('ready', () => {
    log.info('Redis is connected')
    isUp = true
  })
  redis.on('error', (error: Error) => {
    if (isUp !== false) log.warn({ err: error }, 'Redis cannot be reached; trying until it can')
    isUp = false
  })
  // Not `close`, which comes as well when we close the connection ourselves.
  redis.on('reconnecting', () => {
    if (isUp === true) log.warn('The connection to Redis is lost; trying until it is back')
    isUp = false
  })
}

/** The connection all requests share: it fails fast and never queues. */
export const connectProducer = (url: string, log: Log, scripts: NonNullable<RedisOptions['scripts']> = {}): Redis => {
  const redis = new Redis(url, {
    ...failingFast,
    maxRetriesPerRequest: 1,
    // What was sent before the connection broke has been answered with a 503: it must not be done behind the client's back.
    autoResendUnfulfilledCommands: false,
    // A peer that is silent for longer is given up, so that a dead route does not cost every request the timeout.
    socketTimeout: 4000,
    scripts
  })
  logChanges(redis, log)
  return redis
}

/** The connection of a BullMQ worker, whose commands wait for Redis for as long as it takes. Where it `isTold`, the log says when it is lost and back. */
export const connectWorker = (url: string, log: Log, { isTold = false } = {}): Redis => {
  const redis = new Redis(url, {
    ...shared,
    maxRetriesPerRequest: null,
    // A route that died in silence is given up, or locks would not be renewed.
    socketTimeout: WORKER_SOCKET_TIMEOUT_MS
  })
  if (isTold) logChanges(redis, log)
  // Another connection of this process, to the same server, tells of its state.
  else redis.on('error', (error) => log.debug({ err: error }, 'the connection of a worker'))
  return redis
}

/** A connection for blocking reads, opened on first use. What it brings are hints, so its failures are not reported. */
export const connectListener = (url: string): Redis => {
  const redis = new Redis(url, { ...failingFast, lazyConnect: true, maxRetriesPerRequest: null, commandTimeout: 5000 })
  redis.on('error', () => undefined)
  return redis
}
