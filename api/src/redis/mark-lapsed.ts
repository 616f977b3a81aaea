import { FIND_JOB, WHEN_FULL } from '@nextscale/platform'
import type { Result } from 'ioredis'

/**
 * Marks a generation as ended by a deadline, only while its job waits: whoever takes it up later finds the mark, so what
 * the mark says never has to be taken back. A mark that is there stays as it was. What is marked is on the list of those
 * whose job is still to be ended or removed.
 */
export const MARK_LAPSED = {
  numberOfKeys: 3,
  readOnly: false,
  lua: `${WHEN_FULL}${FIND_JOB}
local mark, unreleased, pools = KEYS[1], KEYS[2], KEYS[3]
local text, seconds, id = ARGV[1], ARGV[2], ARGV[3]
local base = findJob(pools, id)
local found = redis.call('HMGET', base .. id, 'data', 'finishedOn')
if not found[1] or found[2] or redis.call('LPOS', base .. 'active', id) then return 0 end
redis.call('ZADD', unreleased, redis.call('TIME')[1] * 1000, id)
redis.call('SET', mark, text, 'EX', seconds, 'NX')
return 1`
} as const

declare module 'ioredis' {
  interface RedisCommander<Context> {
    markLapsed(
      markKey: string,
      unreleasedKey: string,
      poolsKey: string,
      mark: string,
      seconds: number,
      id: string
    ): Result<0 | 1, Context>
  }
}
