import { randomUUID } from 'node:crypto'
import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import type { Caller } from '../http/caller.ts'
import { ProblemError } from '../http/problem.ts'
import { onRedis } from '../redis/errors.ts'
import { createStreamSlots } from './stream-slots.ts'

const LAPSE_MS = 30_000
/** A renewal may fail now and then. */
const RENEWALS_PER_LAPSE = 3
const RETRY_AFTER_SECONDS = 2

export interface Streams {
  /**
   * Takes a place among the open streams and waits of the caller and of this process; the result gives it back.
   * @throws ProblemError `too_many_streams` when all of either are taken.
   */
  enter(caller: Caller): Promise<() => void>
  close(): void
}

interface StreamsContext {
  redis: Redis
  keys: RedisKeys
  /** Those of all callers that one process holds open. */
  limit: number
  lapseMs?: number
}

interface Place {
  id: string
  owner: string
  limit: number
}

const leaveNothing = () => undefined

/** Places of open streams and waits. Those of keys that have a limit are held in Redis, and renewed. */
export const createStreams = ({ redis, keys, limit, lapseMs = LAPSE_MS }: StreamsContext): Streams => {
  const slots = createStreamSlots(limit)
  const held = new Set<Place>()
  let renewals: NodeJS.Timeout | undefined

  const take = ({ id, owner, limit }: Place) => redis.enterStream(keys.streams(owner), limit, lapseMs, id)
  const renew = () => {
    for (const place of held) take(place).catch(() => undefined)
  }
  const stopWhenIdle = () => {
    if (held.size > 0) return
    clearInterval(renewals)
    renewals = undefined
  }

  const leave = (place: Place) => {
    if (!held.delete(place)) return
    stopWhenIdle()
    // Should this fail, the place lapses.
    redis.zrem(keys.streams(place.owner), place.id).catch(() => undefined)
  }

  const enterPlace = async ({ owner, limits }: Caller): Promise<() => void> => {
    if (limits.streams === null) return leaveNothing
    const place: Place = { id: randomUUID(), owner, limit: limits.streams }
    if ((await onRedis(() => take(place))) === 0) {
      const detail = `The API key has ${place.limit} open streams and waits, and may have no more. End one, or read without \`wait\`.`
      throw new ProblemError('too_many_streams', detail, { retryAfterSeconds: RETRY_AFTER_SECONDS })
    }
    held.add(place)
    renewals ??= setInterval(renew, lapseMs / RENEWALS_PER_LAPSE)
    return () => leave(place)
  }

  return {
    enter: async (caller) => {
      const leaveSlot = slots.enter()
      try {
        const leavePlace = await enterPlace(caller)
        return () => {
          leavePlace()
          leaveSlot()
        }
      } catch (error) {
        leaveSlot()
        throw error
      }
    },
    close: () => clearInterval(renewals)
  }
}
