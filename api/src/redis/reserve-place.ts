import type { Result } from 'ioredis'

/** Puts a member into a sorted set unless that is full. Replies whether it is in; one that was in stays as it was. */
export const RESERVE_PLACE = {
  numberOfKeys: 1,
  readOnly: false,
  lua: `
local places, limit, score, id = KEYS[1], tonumber(ARGV[1]), ARGV[2], ARGV[3]
if redis.call('ZSCORE', places, id) then return 1 end
if redis.call('ZCARD', places) >= limit then return 0 end
redis.call('ZADD', places, score, id)
return 1`
} as const

declare module 'ioredis' {
  interface RedisCommander<Context> {
    reservePlace(placesKey: string, limit: number, score: number, id: string): Result<0 | 1, Context>
  }
}
