import type { FastifyBaseLogger } from 'fastify'
import { Redis, type RedisOptions } from 'ioredis'
import { ENTER_STREAM } from './enter-stream.ts'
import { CLOSE_KEYED_ADD, OPEN_KEYED_ADD } from './keyed-add.ts'
import { CLOSE_KEYED_FLOW, OPEN_KEYED_FLOW } from './keyed-flow.ts'
import { MARK_CANCELED } from './mark-canceled.ts'
import { MARK_LAPSED } from './mark-lapsed.ts'
import { READ_DELIVERY } from './read-delivery.ts'
import { READ_GENERATION } from './read-generation.ts'
import { RESERVE_PLACE } from './reserve-place.ts'
import { TAKE_REQUEST } from './take-request.ts'
import { DRAW_SECRET, ROTATE_SECRET } from './webhook-secret.ts'

const MAX_RECONNECT_DELAY_MS = 1000

const shared = {
  connectTimeout: 1500,
  disconnectTimeout: 500,
  // Commands fail at once while there is no connection, which is tried again for ever in the background.
  enableOfflineQueue: false,
  retryStrategy: (attempt: number) => Math.min(50 * attempt, MAX_RECONNECT_DELAY_MS),
  // After a failover the old primary answers READONLY: connect anew to find the new one.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY')
} satisfies RedisOptions

/** Logs when the connection is lost and when it is back, not every attempt in between. */
const logChanges = (redis: Redis, log: FastifyBaseLogger) => {
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
export const connectProducer = (url: string, log: FastifyBaseLogger): Redis => {
  const redis = new Redis(url, {
    ...shared,
    maxRetriesPerRequest: 1,
    // What was sent before the connection broke has been answered with a 503: it must not be done behind the client's back.
    autoResendUnfulfilledCommands: false,
    // A peer that is silent for longer is given up, so that a dead route does not cost every request the timeout.
    socketTimeout: 4000,
    scripts: {
      readGeneration: READ_GENERATION,
      readDelivery: READ_DELIVERY,
      drawSecret: DRAW_SECRET,
      rotateSecret: ROTATE_SECRET,
      markCanceled: MARK_CANCELED,
      takeRequest: TAKE_REQUEST,
      reservePlace: RESERVE_PLACE,
      enterStream: ENTER_STREAM,
      openKeyedAdd: OPEN_KEYED_ADD,
      closeKeyedAdd: CLOSE_KEYED_ADD,
      openKeyedFlow: OPEN_KEYED_FLOW,
      closeKeyedFlow: CLOSE_KEYED_FLOW,
      markLapsed: MARK_LAPSED
    }
  })
  logChanges(redis, log)
  return redis
}

/** Longer than any blocking command of a worker. */
const WORKER_SOCKET_TIMEOUT_MS = 15_000

/** The connection of a BullMQ worker, whose commands wait for Redis for as long as it takes. */
export const connectWorker = (url: string, log: FastifyBaseLogger): Redis => {
  const { connectTimeout, disconnectTimeout, retryStrategy, reconnectOnError } = shared
  const redis = new Redis(url, {
    connectTimeout,
    disconnectTimeout,
    retryStrategy,
    reconnectOnError,
    maxRetriesPerRequest: null,
    // A route that died in silence is given up, or locks would not be renewed.
    socketTimeout: WORKER_SOCKET_TIMEOUT_MS
  })
  // The producer's connection, to the same server, tells of its state.
  redis.on('error', (error) => log.debug({ err: error }, 'the connection of a worker'))
  return redis
}

/** A connection for blocking reads, opened on first use. What it brings are hints, so its failures are not reported. */
export const connectListener = (url: string): Redis => {
  const redis = new Redis(url, { ...shared, lazyConnect: true, maxRetriesPerRequest: null, commandTimeout: 5000 })
  redis.on('error', () => undefined)
  return redis
}
