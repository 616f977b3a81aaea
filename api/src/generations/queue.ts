import { type GenerateImagePayload, generateImageJob, type RedisKeys } from '@nextscale/openapi'
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'

/**
 * BullMQ's side of the queue. It shares the producer connection, and must not wait for it: a queue that waits for Redis to
 * be ready, or asks for its version, would hang or stay broken when the API starts first.
 */
export const openQueue = (redis: Redis, keys: RedisKeys): Queue<GenerateImagePayload> => {
  const queue = new Queue<GenerateImagePayload>(generateImageJob.queue, {
    connection: redis,
    prefix: keys.bullmq,
    skipVersionCheck: true,
    skipWaitingForReady: true
  })
  // The connection reports its own state; without a listener an error event would end the process.
  queue.on('error', () => undefined)
  return queue
}
