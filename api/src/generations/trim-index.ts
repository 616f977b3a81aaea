import {
  deliverWebhookJob,
  generateImageJob,
  MAX_DEADLINE_SECONDS,
  MAX_RETENTION_SECONDS,
  type RedisKeys
} from '@nextscale/openapi'
import type { Redis } from 'ioredis'

const TRIM_INTERVAL_MS = 60_000
/** An id is in the index until it need not be remembered, whatever its generation asked for. */
const indexedMs = (MAX_DEADLINE_SECONDS + MAX_RETENTION_SECONDS + generateImageJob.rememberSeconds) * 1000
/** Attempts to deliver take three days, and up to a day more each where the receiver asks for it. */
const ATTEMPTS_SECONDS = 14 * 86_400
/** A delivery is in its index as long as it can be there. */
const deliveriesMs = (MAX_DEADLINE_SECONDS + ATTEMPTS_SECONDS + deliverWebhookJob.retentionSeconds) * 1000

/** Forgets ids past their time; now and then, since nothing depends on when. */
export const createIndexTrim = (redis: Redis, keys: RedisKeys) => {
  let trimmedAt = 0
  return (owner: string, now: number): void => {
    if (now - trimmedAt < TRIM_INTERVAL_MS) return
    trimmedAt = now
    redis.zremrangebyscore(keys.index(owner), '-inf', now - indexedMs).catch(() => undefined)
    redis.zremrangebyscore(keys.deliveries(owner), '-inf', now - deliveriesMs).catch(() => undefined)
  }
}
