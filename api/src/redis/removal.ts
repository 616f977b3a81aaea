import { FIND_JOB, WHEN_FULL } from '@nextscale/platform'

/** The lock under which BullMQ removes nothing. Held for the time of the script, so nobody ever sees it. */
const HELD = 'held'

/**
 * A script around BullMQ's removal of a job, whose text it is given. BullMQ removes whatever has no lock, also a job whose
 * runner has lost its lock and works on; here only a marked one that waits may go, so any other is locked meanwhile.
 * Unless a runner still has to end it, it is off the list of those to be removed. Replies what it was, and whether it was removed.
 */
export const removalScript = (removeJob: string): string => `${WHEN_FULL}${FIND_JOB}
local function remove(KEYS, ARGV)
${removeJob}
end
local mark, unreleased, pools, id = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local base = findJob(pools, id)
local job, active, lock = base .. id, base .. 'active', base .. id .. ':lock'
local found = redis.call('HMGET', job, 'data', 'finishedOn')
local place = 'marked'
if not found[1] then place = 'absent'
elseif found[2] then place = 'finished'
elseif redis.call('LPOS', active, id) then place = 'active'
elseif redis.call('EXISTS', mark) == 0 then place = 'unmarked' end
if place ~= 'marked' then redis.call('SET', lock, '${HELD}', 'NX') end
local isRemoved = remove({ job, base .. 'repeat' }, { id, 0, base })
if redis.call('GET', lock) == '${HELD}' then redis.call('DEL', lock) end
local left = redis.call('HMGET', job, 'data', 'finishedOn')
local isMarked = redis.call('EXISTS', mark) == 1
if not left[1] or left[2] or not (isMarked or redis.call('LPOS', active, id)) then
  redis.call('ZREM', unreleased, id)
end
return { place, isRemoved }`
