import { generateImageJob, MAX_DEADLINE_SECONDS, MAX_RETENTION_SECONDS, type RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'

const TRIM_INTERVAL_MS = 60_000
/** An id is in the index until it need not be remembered, whatever its generation asked for. */
const indexedMs = (MAX_DEADLINE_SECONDS + MAX_RETENTION_SECONDS + generateImageJob.rememberSeconds) * 1000

/** Forgets ids past their time; now and then, since nothing depends on when. */
export const createIndexTrim = (redis: Redis, keys: RedisKeys) => {
  let trimmedAt = 0
  return (owner: string, now: number): void => {
    if (now - trimmedAt < TRIM_INTERVAL_MS) return
    trimmedAt = now
    redis.zremrangebyscore(keys.index(owner), '-inf', now - indexedMs).catch(() => undefined)
  }
}
