import { DEFAULT_POOL, poolEntry, readPoolEntry, type RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import type { RunnerRegistry } from '../runners/read-runners.ts'
import type { QueueDepth } from './depth.ts'
import { expectedMs } from './expected.ts'
import { livePools, type Ref } from './serving.ts'

/** What runners offered last is read anew after this. */
const FRESH_MS = 500

/** Where generations go. */
export interface Placement {
  /**
   * The pool whose queue a generation is put into: one where runners that live serve its model, of several the one that is
   * expected to be done with it first; while none lives, the one that offered it last.
   */
  choose(ref: Ref): Promise<string>
  /** Pools that serve a revision of a model, or did last. */
  poolsOf(ref: Ref): Promise<readonly string[]>
}

interface PlacementContext {
  redis: Redis
  keys: RedisKeys
  runners: RunnerRegistry
  depth: Pick<QueueDepth, 'waitingIn'>
  now?: () => number
}

export const createPlacement = ({ redis, keys, runners, depth, now = Date.now }: PlacementContext): Placement => {
  let offers: { entries: readonly string[]; readAt: number } | undefined
  let reading: Promise<readonly string[]> | undefined
  const readOffers = async (): Promise<readonly string[]> => {
    const entries = await onRedis(() => redis.zrange(keys.offers, '0', '-1', 'REV'))
    offers = { entries, readAt: now() }
    return entries
  }
  const lastOffer = async ({ model, model_revision: revision }: Ref): Promise<string> => {
    const isFresh = offers !== undefined && now() - offers.readAt < FRESH_MS
    const entries = isFresh && offers ? offers.entries : await (reading ??= readOffers().finally(() => (reading = undefined)))
    const entry = entries.find((each) => each === poolEntry(readPoolEntry(each).pool, model, revision))
    return entry === undefined ? DEFAULT_POOL : readPoolEntry(entry).pool
  }
  const poolsOf = async (ref: Ref): Promise<readonly string[]> => {
    const live = livePools(await runners.cards(), ref)
    return live.length > 0 ? live.toSorted() : [await lastOffer(ref)]
  }
  return {
    poolsOf,
    choose: async (ref) => {
      const [first = DEFAULT_POOL, ...others] = await poolsOf(ref)
      if (others.length === 0) return first
      const cards = runners.lastCards()
      const waits = [first, ...others].map((pool) => ({ pool, ms: expectedMs(cards, pool, ref, depth.waitingIn(pool)) }))
      return waits.reduce((best, next) => (next.ms < best.ms ? next : best)).pool
    }
  }
}
