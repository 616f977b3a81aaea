import type { RedisKeys } from '@nextscale/openapi'
import { FIND_JOB } from '@nextscale/platform'
import type { Result } from 'ioredis'

/**
 * Reads everything that decides a generation's status in one atomic look: the cancel mark, the job's hash, the
 * queue and the list it is in, and the time by Redis' own clock. Separate commands could see a job between two states, or a mark and its job at different times.
 * Field names are BullMQ's: `atm` attempts ended, `stc` times a runner was lost, `ats` times it was started.
 */
export const READ_GENERATION = {
  numberOfKeys: 3,
  readOnly: false,
  lua: `${FIND_JOB}
local mark, index, pools, id = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local base, pool = findJob(pools, id)
local job, active, wait, prioritized = base .. id, base .. 'active', base .. 'wait', base .. 'prioritized'
local found = redis.call('HMGET', job, 'data', 'timestamp', 'processedOn', 'finishedOn', 'returnvalue',
  'failedReason', 'progress', 'atm', 'stc', 'ats')
local place, ahead, remembered = 'none', -1, 0
if not found[1] then
  if redis.call('ZSCORE', index, id) then remembered = 1 end
elseif not found[4] then
  if redis.call('LPOS', active, id) then
    place = 'active'
  else
    place = 'waiting'
    local rank = redis.call('ZRANK', prioritized, id)
    if rank then
      ahead = rank + redis.call('LLEN', wait)
    else
      local position = redis.call('LPOS', wait, id)
      if position then ahead = redis.call('LLEN', wait) - 1 - position end
    end
  end
end
local time = redis.call('TIME')
return {
  'pool', pool, 'mark', redis.call('GET', mark), 'remembered', remembered, 'place', place, 'ahead', ahead, 'data', found[1],
  'timestamp', found[2], 'processedOn', found[3], 'finishedOn', found[4], 'returnValue', found[5], 'failedReason', found[6],
  'progress', found[7], 'attemptsEnded', found[8], 'runnersLost', found[9], 'starts', found[10],
  'now', time[1] * 1000 + math.floor(time[2] / 1000)
}`
} as const

type Text = string | null

/** The script's reply, as `namedReply` reads it. */
export interface GenerationReply {
  /** The pool whose queue has the job; the default one where none has. */
  pool: string
  /** The cancel mark, as JSON. */
  mark: Text
  /** Whether its owner's index has the id, of a job that is not there. */
  remembered: 0 | 1
  place: 'none' | 'active' | 'waiting'
  /** Jobs ahead of one that waits; -1 where that is not known. */
  ahead: number
  data: Text
  timestamp: Text
  processedOn: Text
  finishedOn: Text
  returnValue: Text
  failedReason: Text
  progress: Text
  attemptsEnded: Text
  runnersLost: Text
  starts: Text
  /** Redis' time, in Unix ms. */
  now: number
}

/** Arguments of the `readGeneration` command: an owner's generation. */
export const readArguments = (keys: RedisKeys, owner: string, id: string): [string, string, string, string] => [
  keys.cancelMark(id),
  keys.index(owner),
  keys.pools,
  id
]

declare module 'ioredis' {
  interface RedisCommander<Context> {
    readGeneration(...keysAndId: string[]): Result<unknown, Context>
  }
}
