import { DEFAULT_POOL, queueOfPool } from '@nextscale/openapi'
import { DELAYED_UNITS_PER_MS, JOB_FIELDS as FIELDS, JOB_KEYS, QUEUE_KEYS as QUEUE } from './bullmq-names.ts'

/*
 * Parts of scripts about the queues of pools. `base` is a queue's prefix of keys with its closing colon, so that `base .. id` is a
 * job's hash. The names of queues follow from that of the sorted set of pools; all keys share one hash tag.
 */

/**
 * `queueBase(pools, pool)` is the base of a pool's queue; `findJob(pools, id)` the base of the queue that has the job and the pool's
 * name, or those of the default pool where none has it. An id is in one queue at most.
 */
export const FIND_JOB = `
local function queueBase(pools, pool)
  local root = string.sub(pools, 1, -7)
  if pool == '${DEFAULT_POOL}' then return root .. ':${queueOfPool(DEFAULT_POOL)}:' end
  return root .. ':${queueOfPool(DEFAULT_POOL)}@' .. pool .. ':'
end
local function findJob(pools, id)
  local first = queueBase(pools, '${DEFAULT_POOL}')
  if redis.call('EXISTS', first .. id) == 1 then return first, '${DEFAULT_POOL}' end
  for _, pool in ipairs(redis.call('ZRANGE', pools, 0, -1)) do
    local base = queueBase(pools, pool)
    if redis.call('EXISTS', base .. id) == 1 then return base, pool end
  end
  return first, '${DEFAULT_POOL}'
end
`

/** `refOf(base, id)` is \`<model>@<revision>\` of what a job asks for; nothing where that cannot be read. */
export const REF_OF = `
local function refOf(base, id)
  local data = redis.call('HGET', base .. id, '${FIELDS.data}')
  local isRead, payload = pcall(cjson.decode, data or '')
  local input = isRead and type(payload) == 'table' and payload.input
  if type(input) ~= 'table' or type(input.model) ~= 'string' or type(input.model_revision) ~= 'string' then return nil end
  return input.model .. '@' .. input.model_revision
end
`

/**
 * `moveJob(from, to, id, isDue)` takes a job that waits out of one queue and puts it into another, or the same one, by its priority;
 * one that is put off stays so unless `isDue`. Whoever waits for its end is told where it is. Whether it waited.
 */
export const MOVE_JOB = `
local function moveJob(from, to, id, isDue)
  local score = redis.call('ZSCORE', from .. '${QUEUE.delayed}', id)
  local isNext = not score and redis.call('LREM', from .. '${QUEUE.wait}', -1, id) == 1
  if score then
    redis.call('ZREM', from .. '${QUEUE.delayed}', id)
  elseif not isNext and redis.call('ZREM', from .. '${QUEUE.prioritized}', id) == 0 then
    return false
  end
  local job = to .. id
  if from ~= to then
    redis.call('RENAME', from .. id, job)
    if redis.call('EXISTS', from .. id .. '${JOB_KEYS.logs}') == 1 then
      redis.call('RENAME', from .. id .. '${JOB_KEYS.logs}', job .. '${JOB_KEYS.logs}')
    end
    local parent = redis.call('HGET', job, '${FIELDS.parentKey}')
    if parent and redis.call('SREM', parent .. '${JOB_KEYS.dependencies}', from .. id) == 1 then
      redis.call('SADD', parent .. '${JOB_KEYS.dependencies}', job)
    end
  end
  if score and not isDue then
    redis.call('ZADD', to .. '${QUEUE.delayed}', score, id)
    redis.call('ZADD', to .. '${QUEUE.marker}', math.floor(tonumber(score) / ${DELAYED_UNITS_PER_MS}), '1')
    return true
  end
  redis.call('HSET', job, '${FIELDS.delay}', 0)
  local priority = tonumber(redis.call('HGET', job, '${FIELDS.priority}')) or 0
  if isNext then
    redis.call('RPUSH', to .. '${QUEUE.wait}', id)
  elseif priority == 0 then
    redis.call('LPUSH', to .. '${QUEUE.wait}', id)
  else
    local order = redis.call('INCR', to .. '${QUEUE.priorityCounter}')
    redis.call('ZADD', to .. '${QUEUE.prioritized}', priority * 0x100000000 + order % 0x100000000, id)
  end
  redis.call('ZADD', to .. '${QUEUE.marker}', 0, '0')
  redis.call('XADD', to .. '${QUEUE.events}', 'MAXLEN', '~', 10000, '*', 'event', 'waiting', 'jobId', id)
  return true
end
`
