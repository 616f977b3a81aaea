import { generateImageJob, type RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'

const TRIM_INTERVAL_MS = 60_000
const { rememberSeconds, retentionSeconds } = generateImageJob

/** Forgets ids past their time; now and then, since nothing depends on when. */
export const createIndexTrim = (redis: Redis, keys: RedisKeys) => {
  let trimmedAt = 0
  return (owner: string, now: number): void => {
    if (now - trimmedAt < TRIM_INTERVAL_MS) return
    trimmedAt = now
    redis.zremrangebyscore(keys.index(owner), '-inf', now - (retentionSeconds + rememberSeconds) * 1000).catch(() => undefined)
  }
}
