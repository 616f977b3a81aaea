import { DEFAULT_POOL, type RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { changeScript, WHEN_FULL } from '../redis/when-full.ts'
import { DELAYED_UNITS_PER_MS, FETCHING_SCRIPTS, JOB_FIELDS as FIELDS, QUEUE_KEYS as QUEUE } from './bullmq-names.ts'
import { FIND_JOB, MOVE_JOB, REF_OF } from './pool-scripts.ts'

/** Jobs at the head of a queue that are looked at for one that is served here, and so many more further on where others are to take all of these. */
const LOOK_AT = 100
/** When a worker that left jobs to others of its pool wakes the next. */
const WAKE_MS = 50
const FIRST_DELAY_MS = 1_000
const MAX_DELAY_MS = 30_000
/** What was put aside is looked for by runners that are up more often than this. */
const FORGET_SECONDS = 120

/** What a worker serves. */
export interface Served {
  pool: string
  /** `<model>@<revision>`, as generations are queued for them. */
  refs: readonly string[]
}

/** A text as Lua has it, whatever is in it. */
const luaText = (text: string) => `[==[${text}]==]`

/** `poolsOf(ref)` is the set of pools that have a runner which serves it. Cards are read once, and only where one is asked for. */
const poolsOf = ({ runners }: RedisKeys): string => `
local call, servedBy = redis.call, nil
local function poolsOf(ref)
  if not servedBy then
    servedBy = {}
    for _, text in ipairs(call('HVALS', '${runners}')) do
      local isRead, card = pcall(cjson.decode, text)
      for _, model in ipairs(isRead and type(card) == 'table' and type(card.models) == 'table' and card.models or {}) do
        local name = tostring(model.id) .. '@' .. tostring(model.revision)
        servedBy[name] = servedBy[name] or {}
        servedBy[name][type(card.pool) == 'string' and card.pool or '${DEFAULT_POOL}'] = true
      end
    end
  end
  return servedBy[ref] or {}
end
`

/** `putAside(base, id, ref)` puts off what nobody serves, tells its caller why, and lists it for who comes to serve it. */
const putAside = ({ bullmq, unserved }: RedisKeys): string => `
local function putAside(base, id, ref)
  local job = base .. id
  local time = call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local times = call('HINCRBY', job, 'passed', 1)
  local delay = math.floor(math.min(${FIRST_DELAY_MS} * 2 ^ (times - 1), ${MAX_DELAY_MS}) * (1 + time[2] % 1000 / 5000))
  if call('LREM', base .. '${QUEUE.wait}', -1, id) == 0 then call('ZREM', base .. '${QUEUE.prioritized}', id) end
  local place = string.find(ref, '@', 1, true)
  local progress = { stage = 'waiting_for_model', progress = cjson.null, message = 'It waits for a runner that serves revision '
    .. string.sub(ref, place + 1) .. ' of ' .. string.sub(ref, 1, place - 1) .. ': none that is up does.' }
  local starts = tonumber(call('HGET', job, '${FIELDS.starts}'))
  if starts then progress.run = starts end
  local text = cjson.encode(progress)
  call('HSET', job, '${FIELDS.delay}', delay, '${FIELDS.progress}', text)
  call('ZADD', base .. '${QUEUE.delayed}', (now + delay) * ${DELAYED_UNITS_PER_MS}, id)
  call('XADD', base .. '${QUEUE.events}', 'MAXLEN', '~', 10000, '*', 'event', 'progress', 'jobId', id, 'data', text)
  local aside = '${bullmq}:put-aside:' .. ref
  call('ZADD', aside, now, id)
  call('EXPIRE', aside, ${FORGET_SECONDS})
  call('ZADD', '${unserved}', now, ref)
end
`

/**
 * `firstServed(base, at, count)` is the first of the jobs that `at` names, place by place, which is served here; nothing where none of the
 * first is, nor of some anywhere among the `count` there are. What others of the pool serve is left where it is, and one of them is woken soon; what only other pools serve is
 * moved to one of them; what nobody serves is put aside.
 */
const firstServed = (keys: RedisKeys, { pool, refs }: Served): string => `
local served = cjson.decode(${luaText(JSON.stringify(Object.fromEntries(refs.map((ref) => [ref, true]))))})
local function isTaken(base, id)
  local ref = refOf(base, id)
  -- Whoever takes what cannot be read refuses it.
  if not ref or served[ref] then return true, false end
  local pools = poolsOf(ref)
  if pools['${pool}'] then return false, true end
  local target = next(pools)
  if target then moveJob(base, queueBase('${keys.pools}', target), id, true) else putAside(base, id, ref) end
  return false, false
end
local function firstServed(base, at, count)
  local place, hasLeft, hasMore = 0, false, true
  local time = call('TIME')
  for _ = 1, ${LOOK_AT} do
    local id = at(place)
    if not id then
      hasMore = false
      break
    end
    local isOurs, isLeft = isTaken(base, id)
    if isOurs then return id end
    if isLeft then
      hasLeft, place = true, place + 1
    end
  end
  local further = count() - place
  for i = 1, hasMore and further > 0 and ${LOOK_AT} or 0 do
    local id = at(place + (time[2] * 7919 + i * 104729) % further)
    if id and isTaken(base, id) then return id end
  end
  local wakeAt = time[1] * 1000 + math.floor(time[2] / 1000) + ${WAKE_MS}
  if hasLeft then call('ZADD', base .. '${QUEUE.marker}', wakeAt, '1')
  elseif hasMore then call('ZADD', base .. '${QUEUE.marker}', 0, '0') end
end
`

/** `redis.call` as the script after this has it: where it asks for the next job it gets the first that is served here. */
const ANSWER = `
local redis = setmetatable({ call = function(command, key, ...)
  if command == 'RPOPLPUSH' then
    local base = string.sub(key, 1, -1 - #'${QUEUE.wait}')
    local id = firstServed(base, function(place) return call('LINDEX', key, -1 - place) end, function() return call('LLEN', key) end)
    if not id then return false end
    call('LREM', key, -1, id)
    call('LPUSH', ..., id)
    return id
  elseif command == 'ZPOPMIN' then
    local base = string.sub(key, 1, -1 - #'${QUEUE.prioritized}')
    local id = firstServed(base, function(place) return call('ZRANGE', key, place, place)[1] end, function() return call('ZCARD', key) end)
    if not id then return {} end
    local score = call('ZSCORE', key, id)
    call('ZREM', key, id)
    return { id, score }
  elseif command == 'DEL' and string.sub(key, -1 - #'${QUEUE.priorityCounter}') == ':${QUEUE.priorityCounter}' then
    -- BullMQ counts anew when nothing is left, and takes that for what was found to be served.
    if call('EXISTS', string.sub(key, 1, -1 - #'${QUEUE.priorityCounter}') .. '${QUEUE.prioritized}') == 1 then return 0 end
  end
  return call(command, key, ...)
end }, { __index = redis })
`

/** Has the scripts of BullMQ that fetch a job, on this connection, fetch only what is served here. Call it after `workWhenFull`. */
export const takeServed = (redis: Redis, keys: RedisKeys, served: Served): void => {
  const text = [FIND_JOB, REF_OF, MOVE_JOB, poolsOf(keys), putAside(keys), firstServed(keys, served), ANSWER].join('')
  for (const script of FETCHING_SCRIPTS) changeScript(redis, script, (lua) => WHEN_FULL + text + lua.replace(WHEN_FULL, ''))
}
