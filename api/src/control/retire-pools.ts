import { readPoolEntry, type RedisKeys } from '@nextscale/openapi'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'

/** A pool without a runner and without a request for longer is not in use: those that are scaled to none have their offers. */
const UNUSED_MS = 3_600_000
/** What a pool offered is forgotten after this, whether or not it may come again. */
const FORGET_OFFERS_MS = 31 * 86_400_000

interface RetireContext {
  redis: Redis
  keys: RedisKeys
  log: FastifyBaseLogger
  now?: () => number
}

/** Forgets pools that offer nothing any more and whose queue is empty, finished generations included. */
export const retirePools = async ({ redis, keys, log, now = Date.now }: RetireContext): Promise<void> => {
  await onRedis(() => redis.zremrangebyscore(keys.offers, '-inf', now() - FORGET_OFFERS_MS))
  const [offers, pools] = await Promise.all([
    onRedis(() => redis.zrange(keys.offers, '0', '-1')),
    onRedis(() => redis.zrangebyscore(keys.pools, '-inf', now() - UNUSED_MS))
  ])
  const offering = new Set(offers.map((entry) => readPoolEntry(entry).pool))
  for (const pool of pools) {
    if (offering.has(pool)) continue
    if ((await onRedis(() => redis.retirePool(keys.pools, pool, now() - UNUSED_MS))) === 1)
      log.info({ pool }, 'a pool is not in use any more')
  }
}
