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
return { found[1], found[2], found[3], found[4], redis.call('LLEN', logs), place, dueAt }`
} as const

type Text = string | null

/** The script's reply. */
export type DeliveryReply = [
  data: Text,
  timestamp: Text,
  finishedOn: Text,
  returnValue: Text,
  attempts: number,
  place: 'waiting-children' | 'due' | 'delayed' | 'completed' | 'failed',
  dueAt: Text
]

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
    ): Result<DeliveryReply, Context>
  }
}
