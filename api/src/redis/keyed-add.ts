import { FIND_JOB } from '@nextscale/platform'
import type { Result } from 'ioredis'

/**
 * Two scripts around BullMQ's add in one transaction. BullMQ adds a job unless there is one; here it must not be added
 * either when its id was used and the job is in the queue of another pool, or no longer there: canceled while it waited, deleted, or
 * past its retention.
 * In that case a placeholder holds the job's place for the time of the transaction, so that nobody ever sees it.
 */
export const OPEN_KEYED_ADD = {
  numberOfKeys: 4,
  readOnly: false,
  lua: `${FIND_JOB}
local mark, job, index, pools, id = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1]
if redis.call('EXISTS', job) == 1 then return 0 end
local isElsewhere = redis.call('EXISTS', findJob(pools, id) .. id) == 1
if not isElsewhere and redis.call('EXISTS', mark) == 0 and not redis.call('ZSCORE', index, id) then return 1 end
redis.call('HSET', job, 'placeholder', '1')
return 0`
} as const

/** Takes the placeholder away, or remembers the id: only now, so that an add that failed leaves nothing behind. */
export const CLOSE_KEYED_ADD = {
  numberOfKeys: 2,
  readOnly: false,
  lua: `
local job, index = KEYS[1], KEYS[2]
if redis.call('HEXISTS', job, 'placeholder') == 1 then return redis.call('DEL', job) end
local timestamp = redis.call('HGET', job, 'timestamp')
if timestamp then redis.call('ZADD', index, 'NX', timestamp, ARGV[1]) end
return 0`
} as const

declare module 'ioredis' {
  interface RedisCommander<Context> {
    openKeyedAdd(markKey: string, jobKey: string, indexKey: string, poolsKey: string, id: string): Result<0 | 1, Context>
    closeKeyedAdd(jobKey: string, indexKey: string, id: string): Result<number, Context>
  }
}
