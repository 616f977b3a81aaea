/** The lock under which BullMQ removes nothing. Held for the time of a transaction, so nobody ever sees it. */
const HELD = 'held'

/**
 * Two scripts around BullMQ's removal in one transaction. BullMQ removes whatever has no lock, also a job whose runner has
 * lost its lock and works on; here only a marked one that waits may go, so any other is locked meanwhile.
 * Replies what it is.
 */
export const OPEN_REMOVAL = `
local job, mark, active, lock = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local found = redis.call('HMGET', job, 'data', 'finishedOn')
local place = 'marked'
if not found[1] then place = 'absent'
elseif found[2] then place = 'finished'
elseif redis.call('LPOS', active, ARGV[1]) then place = 'active'
elseif redis.call('EXISTS', mark) == 0 then place = 'unmarked' end
if place ~= 'marked' then redis.call('SET', lock, '${HELD}', 'NX') end
return place`

/** Takes the lock away. Unless a runner still has to end it, it is off the list of those to be removed. */
export const CLOSE_REMOVAL = `
local job, mark, active, lock, unreleased = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
if redis.call('GET', lock) == '${HELD}' then redis.call('DEL', lock) end
local found = redis.call('HMGET', job, 'data', 'finishedOn')
local isMarked = redis.call('EXISTS', mark) == 1
if not found[1] or found[2] or not (isMarked or redis.call('LPOS', active, ARGV[1])) then
  return redis.call('ZREM', unreleased, ARGV[1])
end
return 0`
