import { DELAYED_UNITS_PER_MS } from '@nextscale/platform'
import type { Result } from 'ioredis'

/**
 * Reads everything that decides the status of a webhook delivery in one atomic look: the job's hash, the set it is in, and
 * the number of its attempts. A job that is in none of the sets asked is due or under way.
 */
export const READ_DELIVERY = {
  numberOfKeys: 6,
  readOnly: true,
  lua: `
local job, logs, children, delayed, completed, failed = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local id = ARGV[1]
local found = redis.call('HMGET', job, 'data', 'timestamp', 'finishedOn', 'returnvalue')
local place, dueAt = 'due', false
if redis.call('ZSCORE', children, id) then
  place = 'waiting-children'
elseif redis.call('ZSCORE', completed, id) then
  place = 'completed'
elseif redis.call('ZSCORE', failed, id) then
  place = 'failed'
else
  local score = redis.call('ZSCORE', delayed, id)
  if score then
    place = 'delayed'
    dueAt = string.format('%.0f', math.floor(tonumber(score) / ${DELAYED_UNITS_PER_MS}))
  end
end
return {
  'data', found[1], 'timestamp', found[2], 'finishedOn', found[3], 'returnValue', found[4],
  'attempts', redis.call('LLEN', logs), 'place', place, 'dueAt', dueAt
}`
} as const

type Text = string | null

/** The script's reply, as `namedReply` reads it. */
export interface DeliveryReply {
  data: Text
  timestamp: Text
  finishedOn: Text
  returnValue: Text
  /** Attempts on record. */
  attempts: number
  place: 'waiting-children' | 'due' | 'delayed' | 'completed' | 'failed'
  /** When one that is delayed is due, in Unix ms. */
  dueAt: Text
}

declare module 'ioredis' {
  interface RedisCommander<Context> {
    readDelivery(
      jobKey: string,
      logsKey: string,
      waitingChildrenKey: string,
      delayedKey: string,
      completedKey: string,
      failedKey: string,
      id: string
    ): Result<unknown, Context>
  }
}
