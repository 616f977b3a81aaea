import { FIND_JOB, QUEUE_KEYS, WHEN_FULL } from '@nextscale/platform'
import type { Result } from 'ioredis'

const { wait, prioritized, active, delayed, completed, failed, waitingChildren } = QUEUE_KEYS
const LISTS = [wait, prioritized, active, delayed, completed, failed, waitingChildren].map((list) => `'${list}'`).join(', ')

/** Takes a pool off the list of those that are looked through, unless it was used since a time in ms or has a job of whatever kind. */
export const RETIRE_POOL = {
  numberOfKeys: 1,
  readOnly: false,
  lua: `${WHEN_FULL}${FIND_JOB}
local pools, pool, before = KEYS[1], ARGV[1], tonumber(ARGV[2])
local usedAt = tonumber(redis.call('ZSCORE', pools, pool))
if not usedAt or usedAt > before then return 0 end
for _, list in ipairs({ ${LISTS} }) do
  if redis.call('EXISTS', queueBase(pools, pool) .. list) == 1 then return 0 end
end
return redis.call('ZREM', pools, pool)`
} as const

declare module 'ioredis' {
  interface RedisCommander<Context> {
    retirePool(poolsKey: string, pool: string, usedBefore: number): Result<0 | 1, Context>
  }
}
