import type { Result } from 'ioredis'

/**
 * Takes a place among an owner's streams until it lapses, or renews one, by Redis' clock. Places that have lapsed are free:
 * those of a process that was killed. Replies whether the place is held.
 */
export const ENTER_STREAM = {
  numberOfKeys: 1,
  readOnly: false,
  lua: `
local places, limit, lapse, id = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', places, '-inf', now)
if not redis.call('ZSCORE', places, id) and redis.call('ZCARD', places) >= limit then return 0 end
redis.call('ZADD', places, now + lapse, id)
redis.call('PEXPIRE', places, lapse)
return 1`
} as const

declare module 'ioredis' {
  interface RedisCommander<Context> {
    enterStream(placesKey: string, limit: number, lapseMs: number, id: string): Result<0 | 1, Context>
  }
}
