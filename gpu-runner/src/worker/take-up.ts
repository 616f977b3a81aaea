import { CancelMark, type RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { Compile } from 'typebox/compile'

/** What is known of a generation at the moment it is taken up. */
export interface TakenUp {
  /** Why it has ended while it waited; null when it has not. */
  ended: 'canceled' | NonNullable<CancelMark['outcome']> | null
  /** The clock of Redis, in Unix ms: deadlines go by it, whatever the clocks of the machines. */
  now: number
}

/**
 * Looks at a generation whose job this runner has just taken up, and lists it for removal. That is done before the first
 * object is stored, so that none is ever stored unlisted; the API, which removes, waits for the generation's end.
 */
export interface TakeUp {
  (generationId: string, retentionSeconds: number): Promise<TakenUp>
}

const Mark = Compile(CancelMark)

/** A mark that cannot be read is a caller's, as all were before there were deadlines. */
const endOf = (text: string | null): TakenUp['ended'] => {
  if (text === null) return null
  const mark: unknown = JSON.parse(text)
  return (Mark.Check(mark) ? mark.outcome : undefined) ?? 'canceled'
}

export const createTakeUp =
  (redis: Redis, keys: RedisKeys): TakeUp =>
  async (generationId, retentionSeconds) => {
    const removableAt = Date.now() + retentionSeconds * 1000
    // One round trip; Redis runs them in this order.
    const [mark, [seconds, microseconds]] = await Promise.all([
      redis.get(keys.cancelMark(generationId)),
      redis.time(),
      redis.zadd(keys.expiry, removableAt, generationId)
    ])
    return { ended: endOf(mark), now: Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000) }
  }
