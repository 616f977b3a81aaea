import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { WHEN_FULL } from '../redis/when-full.ts'

/**
 * Puts jobs back that nobody holds any more: active, without a lock. They are the next to be taken, and nothing is held
 * against them. Whoever looks leaves the time in `pulse`; where that is too long ago, Redis was away or asleep, or
 * all who look were, and locks may have run out of jobs that are under way: for a time nothing is put back then, and
 * whoever lives renews its locks. Replies the ids of jobs that wait again.
 * Names of fields and events are BullMQ's: `stc` counts lost runs.
 */
const WATCH_STALLS = `${WHEN_FULL}
local active, wait, marker, events, pulse, settling = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local base, gap, settle, isCheck = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4] == '1'
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local before = tonumber(redis.call('GET', pulse))
redis.call('SET', pulse, string.format('%.0f', now))
if not before or now - before > gap then redis.call('SET', settling, '1', 'PX', settle) end
if not isCheck or redis.call('EXISTS', settling) == 1 then return {} end
local stalled = {}
for _, id in ipairs(redis.call('LRANGE', active, 0, -1)) do
  if redis.call('EXISTS', base .. id .. ':lock') == 0 then table.insert(stalled, id) end
end
for _, id in ipairs(stalled) do
  redis.call('LREM', active, 1, id)
  redis.call('HINCRBY', base .. id, 'stc', 1)
  redis.call('RPUSH', wait, id)
  redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'event', 'waiting', 'jobId', id, 'prev', 'active')
  redis.call('XADD', events, '*', 'event', 'stalled', 'jobId', id)
end
if #stalled > 0 then redis.call('ZADD', marker, 0, '0') end
return stalled`

export interface StallWatchOptions {
  /** A connection whose commands wait for Redis for as long as it takes. */
  redis: Redis
  /** Names of BullMQ's keys of the queue. */
  toKey: (type: string) => string
  /** How long the locks of its jobs last; the same wherever the queue is watched. */
  lockDurationMs: number
  /** How often lost jobs are looked for. */
  intervalMs: number
  onStalled: (ids: string[]) => void
  onError: (error: unknown) => void
}

export interface StallWatch {
  stop(): void
}

/** A lock lasts for three quarters of its time at least when Redis goes away, so what could end one is longer than this. */
const PULSES_PER_LOCK = 8
const GAP_PER_LOCK = 1 / 2
/** What it takes a process to find Redis again, beyond the time in which it renews its locks. */
const RECONNECT_MS = 2_000

/** A script's reply is untyped. */
const asIds = (reply: unknown) => reply as string[]

/**
 * Looks after the jobs of a queue whose worker is lost, from any number of processes. None is put back before every worker that
 * lives had the time to renew its locks after an outage of Redis.
 */
export const watchStalls = (options: StallWatchOptions): StallWatch => {
  const { redis, toKey, lockDurationMs, intervalMs, onStalled, onError } = options
  const keys = ['active', 'wait', 'marker', 'events', 'pulse', 'settling'].map((type) => toKey(type))
  const pulseMs = Math.min(lockDurationMs / PULSES_PER_LOCK, intervalMs)
  const times = [lockDurationMs * GAP_PER_LOCK, lockDurationMs + RECONNECT_MS].map(Math.ceil)
  const stopping = new AbortController()

  const watch = async (): Promise<void> => {
    let checkAt = performance.now()
    while (!stopping.signal.aborted) {
      const isCheck = performance.now() >= checkAt
      if (isCheck) checkAt = performance.now() + intervalMs
      try {
        const stalled = asIds(await redis.eval(WATCH_STALLS, keys.length, ...keys, toKey(''), ...times, isCheck ? 1 : 0))
        if (stalled.length > 0) onStalled(stalled)
      } catch (error) {
        if (!stopping.signal.aborted) onError(error)
      }
      await sleep(pulseMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }

  void watch()
  return { stop: () => stopping.abort() }
}
