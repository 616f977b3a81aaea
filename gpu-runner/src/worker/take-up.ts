import { CancelMark, queueOfPool, type RedisKeys } from '@nextscale/openapi'
import { WHEN_FULL } from '@nextscale/platform'
import type { Redis } from 'ioredis'
import { Compile } from 'typebox/compile'

/** What is known of a generation at the moment it is taken up. */
export interface TakenUp {
  /** Why it has ended while it waited; null when it has not. */
  ended: 'canceled' | NonNullable<CancelMark['outcome']> | null
  /** The clock of Redis, in Unix ms: deadlines go by it, whatever the clocks of the machines. */
  now: number
  /** Attempts that failed by its own doing. */
  faults: number
  /** How often a runner that did not serve it had put it aside. */
  timesAside: number
}

/**
 * Looks at a generation whose job this runner has just taken up, and lists it for removal. That is done before the first
 * object is stored, so that none is ever stored unlisted; the API, which removes, waits for the generation's end.
 */
export interface TakeUp {
  (generationId: string, retentionSeconds: number): Promise<TakenUp>
}

const TAKE_UP = `${WHEN_FULL}
local mark, expiry, job = KEYS[1], KEYS[2], KEYS[3]
redis.call('ZADD', expiry, ARGV[1], ARGV[2])
local time, counts = redis.call('TIME'), redis.call('HMGET', job, 'faults', 'aside')
return { redis.call('GET', mark), time[1] * 1000 + math.floor(time[2] / 1000), tonumber(counts[1]) or 0, tonumber(counts[2]) or 0 }`

/** The script's reply, which is untyped. */
const asReply = (reply: unknown) => reply as [mark: string | null, now: number, faults: number, timesAside: number]

const Mark = Compile(CancelMark)

/** A mark that cannot be read is a caller's, as all were before there were deadlines. */
const endOf = (text: string | null): TakenUp['ended'] => {
  if (text === null) return null
  const mark: unknown = JSON.parse(text)
  return (Mark.Check(mark) ? mark.outcome : undefined) ?? 'canceled'
}

export const createTakeUp =
  (redis: Redis, keys: RedisKeys, pool: string): TakeUp =>
  async (generationId, retentionSeconds) => {
    const removableAt = Date.now() + retentionSeconds * 1000
    const places = [keys.cancelMark(generationId), keys.expiry, keys.job(queueOfPool(pool), generationId)]
    const [mark, now, faults, timesAside] = asReply(
      await redis.eval(TAKE_UP, places.length, ...places, removableAt, generationId)
    )
    return { ended: endOf(mark), now, faults, timesAside }
  }
