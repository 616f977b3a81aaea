import { FIND_JOB, WHEN_FULL } from '@nextscale/platform'
import type { Result } from 'ioredis'

/**
 * Marks a generation as canceled and tells runners, only while its job is there and unfinished: a mark written later
 * would bring a deleted generation back as a canceled one. A mark that is there stays as it was. What is marked is on the
 * list of those whose job is still to be ended or removed. Replies whether the generation has a mark now.
 */
export const MARK_CANCELED = {
  numberOfKeys: 3,
  readOnly: false,
  lua: `${WHEN_FULL}${FIND_JOB}
local mark, unreleased, pools = KEYS[1], KEYS[2], KEYS[3]
local text, seconds, channel, id = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local found = redis.call('HMGET', findJob(pools, id) .. id, 'data', 'finishedOn')
if not found[1] or found[2] then return 0 end
redis.call('ZADD', unreleased, redis.call('TIME')[1] * 1000, id)
redis.call('SET', mark, text, 'EX', seconds, 'NX')
redis.call('PUBLISH', channel, id)
return 1`
} as const

declare module 'ioredis' {
  interface RedisCommander<Context> {
    markCanceled(
      markKey: string,
      unreleasedKey: string,
      poolsKey: string,
      mark: string,
      seconds: number,
      channel: string,
      id: string
    ): Result<0 | 1, Context>
  }
}
