import type { Redis, RedisOptions } from 'ioredis'
import type { Log } from '../observe/log.ts'
import { isRefusal, newRedis, type RedisPlace } from './new-redis.ts'
import { whyUnreached } from './why-unreached.ts'

const MAX_RECONNECT_DELAY_MS = 1000
/** Longer than any blocking command of a worker. */
const WORKER_SOCKET_TIMEOUT_MS = 15_000

/** What a server says that is no longer the primary, or no longer the node of a cluster that has the keys; it has done nothing. */
const isOfFormerPrimary = ({ message }: Error): boolean => /^(READONLY|MOVED|MASTERDOWN|CLUSTERDOWN)/.test(message)

const shared = {
  connectTimeout: 1500,
  disconnectTimeout: 500,
  retryStrategy: (attempt: number) => Math.min(50 * attempt, MAX_RECONNECT_DELAY_MS),
  // Connect anew to find the new one.
  reconnectOnError: isOfFormerPrimary
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
    if (isUp !== false) log.warn({ err: error }, `${whyUnreached(error)}; trying until it can`)
    isUp = false
  })
  // Not `close`, which comes as well when we close the connection ourselves.
  redis.on('reconnecting', () => {
    if (isUp === true) log.warn('The connection to Redis is lost; trying until it is back')
    isUp = false
  })
}

/** Has a newer password looked for once Redis has refused the one that there is. */
const renewWhenRefused = (redis: Redis, place: RedisPlace, log?: Log) => {
  const renewal = typeof place === 'string' ? undefined : place.redisRenewal
  if (!renewal) return
  redis.on('error', (error: Error) => {
    if (isRefusal(error))
      renewal
        .refused()
        .catch((err: unknown) => log?.warn({ err }, 'The password of Redis could not be read again; trying until it can'))
  })
}

/** The connection all requests share: it fails fast and never queues. */
export const connectProducer = (place: RedisPlace, log: Log, scripts: NonNullable<RedisOptions['scripts']> = {}): Redis => {
  const redis = newRedis(place, {
    ...failingFast,
    maxRetriesPerRequest: 1,
    // What was sent before the connection broke has been answered with a 503: it must not be done behind the client's back.
    autoResendUnfulfilledCommands: false,
    // A peer that is silent for longer is given up, so that a dead route does not cost every request the timeout.
    socketTimeout: 4000,
    scripts
  })
  logChanges(redis, log)
  renewWhenRefused(redis, place, log)
  return redis
}

/** The connection of a BullMQ worker, whose commands wait for Redis for as long as it takes. Where it `isTold`, the log says when it is lost and back. */
export const connectWorker = (place: RedisPlace, log: Log, { isTold = false } = {}): Redis => {
  const redis = newRedis(place, {
    ...shared,
    // And say it again to the new one (2), as what waits for a connection is.
    reconnectOnError: (error) => (isOfFormerPrimary(error) ? 2 : false),
    maxRetriesPerRequest: null,
    // A route that died in silence is given up, or locks would not be renewed.
    socketTimeout: WORKER_SOCKET_TIMEOUT_MS
  })
  if (isTold) logChanges(redis, log)
  // Another connection of this process, to the same server, tells of its state.
  else redis.on('error', (error) => log.debug({ err: error }, 'the connection of a worker'))
  renewWhenRefused(redis, place, log)
  return redis
}

/** A connection for blocking reads, opened on first use. What it brings are hints, so its failures are not reported. */
export const connectListener = (place: RedisPlace): Redis => {
  const redis = newRedis(place, { ...failingFast, lazyConnect: true, maxRetriesPerRequest: null, commandTimeout: 5000 })
  redis.on('error', () => undefined)
  renewWhenRefused(redis, place)
  return redis
}
