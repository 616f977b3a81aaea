import { FIND_JOB, MOVE_JOB, REF_OF, WHEN_FULL } from '@nextscale/platform'
import type { Result } from 'ioredis'

/**
 * Moves those of some jobs that wait in a pool's queue, and whose model is among those named, into the queue of the pool that is
 * named for it. Replies how many were moved.
 */
export const MOVE_JOBS = {
  numberOfKeys: 1,
  readOnly: false,
  lua: `${WHEN_FULL}${FIND_JOB}${REF_OF}${MOVE_JOB}
local pools, from, targets, moved = KEYS[1], queueBase(KEYS[1], ARGV[1]), cjson.decode(ARGV[2]), 0
for i = 3, #ARGV do
  local ref = refOf(from, ARGV[i])
  local target = ref and targets[ref]
  if target and moveJob(from, queueBase(pools, target), ARGV[i], false) then moved = moved + 1 end
end
return moved`
} as const

declare module 'ioredis' {
  interface RedisCommander<Context> {
    moveJobs(poolsKey: string, pool: string, targets: string, ...ids: string[]): Result<number, Context>
  }
}
