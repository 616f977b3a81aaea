import { DEFAULT_POOL, MAX_DEADLINE_SECONDS, poolEntry, readPoolEntry, type RedisKeys, type RunnerCard } from '@nextscale/openapi'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import type { PoolQueues } from '../pools/queues.ts'
import { poolOf } from '../pools/serving.ts'
import { onRedis } from '../redis/errors.ts'
import type { RunnerRegistry } from '../runners/read-runners.ts'

/** Jobs looked at by one script. */
const PAGE_SIZE = '200'
/** After a queue was gone through it is left alone for so many times as long as that took. */
const REST_FACTOR = 20
const MIN_REST_MS = 2_000
/** Whatever waited has ended by its deadline after this. */
const FORGET_MS = (MAX_DEADLINE_SECONDS + 3600) * 1000

interface StrandedContext {
  redis: Redis
  keys: RedisKeys
  queues: Pick<PoolQueues, 'of' | 'names'>
  runners: Pick<RunnerRegistry, 'cards'>
  signal: AbortSignal
  log: FastifyBaseLogger
}

/** Pools by `<model>@<revision>` of what runners that live serve in them. */
const servedBy = (cards: readonly RunnerCard[]): ReadonlyMap<string, ReadonlySet<string>> => {
  const served = new Map<string, Set<string>>()
  for (const card of cards) {
    for (const { id, revision } of card.models) {
      const ref = `${id}@${revision}`
      served.set(ref, (served.get(ref) ?? new Set()).add(poolOf(card)))
    }
  }
  return served
}

/** Where what waits in each pool is to go: by pool, the target of each `<model>@<revision>` that only others serve. */
const targetsOf = (placements: readonly string[], cards: readonly RunnerCard[]) => {
  const served = servedBy(cards)
  const targets = new Map<string, Record<string, string>>()
  for (const { pool, ref } of placements.map(readPoolEntry)) {
    const [target] = served.get(ref) ?? []
    if (target !== undefined && !served.get(ref)?.has(pool)) targets.set(pool, { ...targets.get(pool), [ref]: target })
  }
  return targets
}

/**
 * Moves generations that wait in the queue of a pool which does not serve their model any more, to one that does: a runner finds
 * those it meets, but a pool may have none left. Any number of processes may do so at once.
 */
export const createStrandedMove = (context: StrandedContext): (() => Promise<void>) => {
  const { redis, keys, queues, runners, signal, log } = context
  const restUntil = new Map<string, number>()
  let isFirst = true

  const movePage = (pool: string, targets: Record<string, string>, ids: readonly string[]): Promise<number> =>
    ids.length === 0 ? Promise.resolve(0) : onRedis(() => redis.moveJobs(keys.pools, pool, JSON.stringify(targets), ...ids))

  const walkSet = async (pool: string, name: 'prioritized' | 'delayed', targets: Record<string, string>): Promise<number> => {
    let moved = 0
    let cursor = '0'
    do {
      const [next, flat] = await onRedis(() => redis.zscan(queues.of(pool).toKey(name), cursor, 'COUNT', PAGE_SIZE))
      moved += await movePage(
        pool,
        targets,
        flat.filter((_, place) => place % 2 === 0)
      )
      cursor = next
    } while (cursor !== '0' && !signal.aborted)
    return moved
  }

  const walk = async (pool: string, targets: Record<string, string>): Promise<void> => {
    const startedAt = performance.now()
    if (startedAt < (restUntil.get(pool) ?? 0)) return
    const handedBack = await onRedis(() => redis.lrange(queues.of(pool).toKey('wait'), 0, -1))
    let moved = await movePage(pool, targets, handedBack)
    for (const name of ['prioritized', 'delayed'] as const) moved += await walkSet(pool, name, targets)
    const now = performance.now()
    restUntil.set(pool, now + Math.max(MIN_REST_MS, REST_FACTOR * (now - startedAt)))
    if (moved > 0) log.info({ pool, moved, to: targets }, 'generations were moved to the pool that serves their model')
  }

  return async () => {
    await onRedis(() => redis.zremrangebyscore(keys.placements, '-inf', Date.now() - FORGET_MS))
    const [placements, cards] = await Promise.all([onRedis(() => redis.zrange(keys.placements, '0', '-1')), runners.cards()])
    // What the release before pools has queued is in the default one, and was written down nowhere.
    const before = isFirst
      ? cards.flatMap(({ models }) => models.map(({ id, revision = '' }) => poolEntry(DEFAULT_POOL, id, revision)))
      : []
    isFirst = false
    for (const [pool, targets] of targetsOf([...placements, ...before], cards)) {
      if (signal.aborted) return
      await walk(pool, targets)
    }
  }
}
