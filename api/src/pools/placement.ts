import { DEFAULT_POOL, poolEntry, readPoolEntry, type RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import type { RunnerRegistry } from '../runners/read-runners.ts'
import type { QueueDepth } from './depth.ts'
import { expectedMs } from './expected.ts'
import { livePools, type Ref } from './serving.ts'

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
}

export const createPlacement = ({ redis, keys, runners, depth }: PlacementContext): Placement => {
  const lastOffer = async ({ model, model_revision: revision }: Ref): Promise<string> => {
    const entries = await onRedis(() => redis.zrange(keys.offers, '0', '-1', 'REV'))
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
