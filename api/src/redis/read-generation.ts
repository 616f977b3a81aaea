import type { Result } from 'ioredis'

/**
 * Reads everything that decides a generation's status in one atomic look: the cancel mark, the job's hash and the list
 * it is in, and the time by Redis' own clock. Separate commands could see a job between two states, or a mark and its job at different times.
 * Field names are BullMQ's: `atm` attempts ended, `stc` times a runner was lost, `ats` times it was started.
 */
export const READ_GENERATION = {
  numberOfKeys: 6,
  readOnly: false,
  lua: `
local mark, job, index, active, wait, prioritized = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local id = ARGV[1]
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
return { redis.call('GET', mark), remembered, place, ahead, found[1], found[2], found[3], found[4], found[5], found[6],
  found[7], found[8], found[9], time[1] * 1000 + math.floor(time[2] / 1000), found[10] }`
} as const

type Text = string | null

/** The script's reply. */
export type GenerationReply = [
  mark: Text,
  remembered: number,
  place: 'none' | 'active' | 'waiting',
  ahead: number,
  data: Text,
  timestamp: Text,
  processedOn: Text,
  finishedOn: Text,
  returnValue: Text,
  failedReason: Text,
  progress: Text,
  attemptsEnded: Text,
  runnersLost: Text,
  now: number,
  starts: Text
]

export interface GenerationKeys {
  mark: string
  job: string
  index: string
  active: string
  wait: string
  prioritized: string
}

/** Arguments of the `readGeneration` command, in the order of the script. */
export const readArguments = (keys: GenerationKeys, id: string): [string, string, string, string, string, string, string] => [
  keys.mark,
  keys.job,
  keys.index,
  keys.active,
  keys.wait,
  keys.prioritized,
  id
]

declare module 'ioredis' {
  interface RedisCommander<Context> {
    readGeneration(...keysAndId: string[]): Result<GenerationReply, Context>
  }
}
