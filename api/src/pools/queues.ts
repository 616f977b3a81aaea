import {
  DEFAULT_POOL,
  type DeliverWebhookPayload,
  deliverWebhookJob,
  type GenerateImagePayload,
  queueOfPool,
  type RedisKeys
} from '@nextscale/openapi'
import { workWhenFull } from '@nextscale/platform'
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'

/**
 * BullMQ's side of a queue. It shares the producer connection, and must not wait for it: a queue that waits for Redis to
 * be ready, or asks for its version, would hang or stay broken when the API starts first.
 */
const open = <Payload>(name: string, redis: Redis, keys: RedisKeys): Queue<Payload> => {
  const queue = new Queue<Payload>(name, {
    connection: redis,
    prefix: keys.bullmq,
    skipVersionCheck: true,
    skipWaitingForReady: true
  })
  // The connection reports its own state; without a listener an error event would end the process.
  queue.on('error', () => undefined)
  // What is canceled or removed makes room.
  queue.backend.client.then(
    () => workWhenFull(redis),
    () => undefined
  )
  return queue
}

export const openDeliveryQueue = (redis: Redis, keys: RedisKeys): Queue<DeliverWebhookPayload> =>
  open(deliverWebhookJob.queue, redis, keys)

/** The queues of all pools of runners. */
export interface PoolQueues {
  /** That of a pool, opened when it is first asked for. */
  of(pool: string): Queue<GenerateImagePayload>
  /** Names of the pools there are, the default one first. */
  names(): Promise<readonly string[]>
  /** The same, as of the last time they were read. */
  lastNames(): readonly string[]
  close(): Promise<void>
}

export const openPoolQueues = (redis: Redis, keys: RedisKeys): PoolQueues => {
  const queues = new Map<string, Queue<GenerateImagePayload>>()
  let known: readonly string[] = [DEFAULT_POOL]
  const of = (pool: string) => {
    const queue = queues.get(pool) ?? open<GenerateImagePayload>(queueOfPool(pool), redis, keys)
    queues.set(pool, queue)
    return queue
  }
  // At once, so that the connection knows BullMQ's scripts.
  of(DEFAULT_POOL)
  return {
    of,
    names: async () => {
      const others = await onRedis(() => redis.zrange(keys.pools, '0', '-1'))
      return (known = [DEFAULT_POOL, ...others])
    },
    lastNames: () => known,
    close: async () => {
      for (const queue of queues.values()) await queue.close()
    }
  }
}
