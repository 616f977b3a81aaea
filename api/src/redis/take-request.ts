import type { Result } from 'ioredis'

/**
 * Counts one request of a key against its rate (GCRA): after a pause `limit` requests may come at once, and each comes back
 * after its share of the window. Times are whole microseconds of Redis' clock, so any number of API processes agree.
 */
export const TAKE_REQUEST = {
  numberOfKeys: 1,
  readOnly: false,
  lua: `
local key, limit, window = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local share = math.ceil(window / limit)
local full = share * limit
local busy = math.max((tonumber(redis.call('GET', key)) or 0) - now, 0)
if busy + share > full then
  return { 'taken', 0, 'remaining', math.floor((full - busy) / share), 'untilAllAreBack', busy, 'untilNext', busy + share - full }
end
busy = busy + share
redis.call('SET', key, string.format('%.0f', now + busy), 'PX', math.ceil(busy / 1000))
return { 'taken', 1, 'remaining', math.floor((full - busy) / share), 'untilAllAreBack', busy, 'untilNext', 0 }`
} as const

/** The script's reply, as `namedReply` reads it; times in microseconds. */
export interface RequestReply {
  taken: 0 | 1
  /** Requests that may come at once now. */
  remaining: number
  untilAllAreBack: number
  untilNext: number
}

declare module 'ioredis' {
  interface RedisCommander<Context> {
    takeRequest(rateKey: string, limit: number, windowMicroseconds: number): Result<unknown, Context>
  }
}
