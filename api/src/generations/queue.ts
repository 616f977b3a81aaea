import {
  type DeliverWebhookPayload,
  deliverWebhookJob,
  type GenerateImagePayload,
  generateImageJob,
  type RedisKeys
} from '@nextscale/openapi'
import { workWhenFull } from '@nextscale/platform'
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'

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

export const openQueue = (redis: Redis, keys: RedisKeys): Queue<GenerateImagePayload> => open(generateImageJob.queue, redis, keys)

export const openDeliveryQueue = (redis: Redis, keys: RedisKeys): Queue<DeliverWebhookPayload> =>
  open(deliverWebhookJob.queue, redis, keys)
