import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import { namedReply } from '../redis/named-reply.ts'
import type { RequestReply } from '../redis/take-request.ts'

const WINDOW_SECONDS = 60
const MICROSECONDS = 1_000_000

export interface RateOutcome {
  isTaken: boolean
  /** What every answer to the caller says of the limit. */
  headers: { ratelimit: string; 'ratelimit-policy': string }
  /** When the next request will be taken; 0 when one is now. */
  retryAfterSeconds: number
}

export interface RateLimit {
  /** Counts a request of an owner that may make `limit` a minute. */
  take(owner: string, limit: number): Promise<RateOutcome>
}

const seconds = (microseconds: number) => Math.ceil(microseconds / MICROSECONDS)

export const createRateLimit = (redis: Redis, keys: RedisKeys): RateLimit => ({
  async take(owner, limit) {
    const reply = await onRedis(() => redis.takeRequest(keys.rate(owner), limit, WINDOW_SECONDS * MICROSECONDS))
    const { taken, remaining, untilAllAreBack, untilNext } = namedReply<RequestReply>(reply)
    return {
      isTaken: taken === 1,
      headers: {
        ratelimit: `"requests";r=${remaining};t=${seconds(untilAllAreBack)}`,
        'ratelimit-policy': `"requests";q=${limit};w=${WINDOW_SECONDS}`
      },
      retryAfterSeconds: seconds(untilNext)
    }
  }
})
