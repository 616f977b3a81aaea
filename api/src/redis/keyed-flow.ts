import { FIND_JOB } from '@nextscale/platform'

/**
 * What `keyed-add.ts` does, for a generation and the delivery of its end. BullMQ adds the delivery unless there is one, and
 * ties a generation that is there to a delivery anew, which would hold up one that is out already. So an id that was used
 * has placeholders where something is missing, and its job is another parent's for the time of the transaction: itself.
 */
export const OPEN_KEYED_FLOW = {
  numberOfKeys: 5,
  readOnly: false,
  lua: `${FIND_JOB}
local mark, job, index, delivery, pools, id = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], ARGV[1]
local hasJob = redis.call('EXISTS', job) == 1
local hasDelivery = redis.call('EXISTS', delivery) == 1
local isElsewhere = not hasJob and redis.call('EXISTS', findJob(pools, id) .. id) == 1
local isUsed = hasJob or isElsewhere or hasDelivery or redis.call('EXISTS', mark) == 1
if not isUsed and not redis.call('ZSCORE', index, id) then return 1 end
if hasJob then
  redis.call('HSET', job, 'keptParent', redis.call('HGET', job, 'parentKey') or '')
else
  redis.call('HSET', job, 'placeholder', '1')
end
redis.call('HSET', job, 'parentKey', job)
if not hasDelivery then redis.call('HSET', delivery, 'placeholder', '1') end
return 0`
} as const

/**
 * Takes the placeholders away and puts back what was there, or remembers both ids: only now, so that an add that failed
 * leaves nothing behind. A delivery that outlived all else of its generation has its id remembered again.
 */
export const CLOSE_KEYED_FLOW = {
  numberOfKeys: 4,
  readOnly: false,
  lua: `
local job, index, delivery, deliveries = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, deliveryId = ARGV[1], ARGV[2]
if redis.call('HEXISTS', delivery, 'placeholder') == 1 then redis.call('DEL', delivery) end
if redis.call('HEXISTS', job, 'placeholder') == 1 then
  redis.call('DEL', job)
  local timestamp = redis.call('HGET', delivery, 'timestamp')
  if timestamp then redis.call('ZADD', index, 'NX', timestamp, id) end
  return 0
end
local timestamp = redis.call('HGET', job, 'timestamp')
if not timestamp then return 0 end
redis.call('ZADD', index, 'NX', timestamp, id)
local parent = redis.call('HGET', job, 'keptParent')
if not parent then
  redis.call('ZADD', deliveries, 'NX', timestamp, deliveryId)
else
  redis.call('HDEL', job, 'keptParent')
  if parent == '' then redis.call('HDEL', job, 'parentKey') else redis.call('HSET', job, 'parentKey', parent) end
end
return 0`
} as const
