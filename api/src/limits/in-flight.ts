import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import type { GenerationReader } from '../generations/reader.ts'
import { isTerminal, settle } from '../generations/settle.ts'
import type { Snapshot } from '../generations/snapshot.ts'
import type { Caller } from '../http/caller.ts'
import { ProblemError } from '../http/problem.ts'
import { isUnanswered, onRedis } from '../redis/errors.ts'

const CHUNK = 100
const RETRY_AFTER_SECONDS = 2
/** A place is taken before its job is there. By this age the job is there, or its request was given up. */
const SETTLED_MS = 10_000

export interface InFlight {
  /** Takes a place among the caller's unfinished generations. Throws a problem when all are taken. */
  reserve(caller: Caller, id: string): Promise<void>
  /** Gives a place back at once; those of finished generations are also found by who needs one. */
  release(caller: Caller, id: string): Promise<void>
  /** Reserves a place for some work, and gives it back when the work was refused. */
  withPlace<T>(caller: Caller, id: string, work: () => Promise<T>): Promise<T>
}

interface InFlightContext {
  redis: Redis
  keys: RedisKeys
  reader: GenerationReader
}

const isDone = (snapshot: Snapshot | undefined, reservedAt: number, now: number): boolean => {
  if (snapshot?.kind === 'job' || snapshot?.kind === 'removed') return isTerminal(settle(snapshot))
  return now - reservedAt > SETTLED_MS
}

/** Takes the oldest finished generations out of an owner's places. Stops at the first that free any. */
const freePlaces = async ({ redis, keys, reader }: InFlightContext, owner: string): Promise<void> => {
  const flat = await onRedis(() => redis.zrangebyscore(keys.inFlight(owner), '-inf', '+inf', 'WITHSCORES'))
  for (let start = 0; start < flat.length; start += 2 * CHUNK) {
    const chunk = flat.slice(start, start + 2 * CHUNK)
    const ids = chunk.filter((_, position) => position % 2 === 0)
    const snapshots = await reader.readMany(owner, ids)
    const now = Date.now()
    const done = ids.filter((_, position) => isDone(snapshots[position], Number(chunk[2 * position + 1]), now))
    if (done.length === 0) continue
    await onRedis(() => redis.zrem(keys.inFlight(owner), ...done))
    return
  }
}

/** Places of unfinished generations, for keys that have a limit of them. */
export const createInFlight = (context: InFlightContext): InFlight => {
  const { redis, keys } = context
  const freeing = new Map<string, Promise<void>>()

  /** One look per owner at a time: many refused at once would ask the same. */
  const free = (owner: string): Promise<void> => {
    const shared = freeing.get(owner)
    if (shared) return shared
    const work = freePlaces(context, owner).finally(() => freeing.delete(owner))
    freeing.set(owner, work)
    return work
  }

  const reserve: InFlight['reserve'] = async ({ owner, limits }, id) => {
    const limit = limits.in_flight
    if (limit === null) return
    const take = () => onRedis(() => redis.reservePlace(keys.inFlight(owner), limit, Date.now(), id))
    if ((await take()) === 1) return
    await free(owner)
    if ((await take()) === 1) return
    const detail = `The API key has ${limit} unfinished generations, and may have no more. Wait until one is done, or cancel one.`
    throw new ProblemError('too_many_in_flight', detail, { retryAfterSeconds: RETRY_AFTER_SECONDS })
  }

  const release: InFlight['release'] = async ({ owner, limits }, id) => {
    if (limits.in_flight !== null) await onRedis(() => redis.zrem(keys.inFlight(owner), id))
  }

  return {
    reserve,
    release,
    withPlace: async (caller, id, work) => {
      await reserve(caller, id)
      try {
        return await work()
      } catch (error) {
        // When Redis has not answered, the work may have been done: whoever needs the place later finds out.
        if (!isUnanswered(error)) await release(caller, id).catch(() => undefined)
        throw error
      }
    }
  }
}
