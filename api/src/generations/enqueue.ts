import { type GenerateImagePayload, generateImageJob, type RedisKeys } from '@nextscale/openapi'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'

const TRIM_INTERVAL_MS = 60_000

export interface Enqueue {
  (id: string, payload: GenerateImagePayload, createdAt: number): Promise<void>
}

const { attempts, backoff, priority, queue: jobName, rememberSeconds, retentionSeconds } = generateImageJob
const kept = { age: retentionSeconds }

/** Adds generations to the queue and to their owner's index. */
export const createEnqueue = (redis: Redis, queue: Queue<GenerateImagePayload>, keys: RedisKeys): Enqueue => {
  let trimmedAt = 0

  /** Forgets ids past their time; now and then, since nothing depends on when. */
  const trim = (owner: string, now: number) => {
    if (now - trimmedAt < TRIM_INTERVAL_MS) return
    trimmedAt = now
    redis.zremrangebyscore(keys.index(owner), '-inf', now - (retentionSeconds + rememberSeconds) * 1000).catch(() => undefined)
  }

  return (id, payload, createdAt) =>
    onRedis(async () => {
      // Both are written before either is awaited, so they share one round trip.
      const indexed = redis.zadd(keys.index(payload.owner), createdAt, id)
      const added = queue.add(jobName, payload, {
        jobId: id,
        timestamp: createdAt,
        priority: priority[payload.input.priority],
        attempts,
        backoff,
        removeOnComplete: kept,
        removeOnFail: kept
      })
      await Promise.all([indexed, added])
      trim(payload.owner, createdAt)
    })
}
