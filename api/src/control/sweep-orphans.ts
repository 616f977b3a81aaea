import { generationPrefix, type RedisKeys } from '@nextscale/openapi'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import { findOrphans } from '../generations/find-orphans.ts'
import type { ObjectStore } from '@nextscale/platform/object-store'
import { onRedis } from '../redis/errors.ts'

export interface OrphansContext {
  redis: Redis
  keys: RedisKeys
  store: Pick<ObjectStore, 'list' | 'remove'>
  /** How long what nobody knows of has to have lain unchanged. */
  orphanAgeSeconds: number
  /** How often it is looked for, by all control processes together: a bucket may be large. */
  orphanIntervalMs: number
  signal: AbortSignal
  log: FastifyBaseLogger
  now?: () => number
}

const removeOrphans = async (context: OrphansContext): Promise<void> => {
  const { store, orphanAgeSeconds, signal, log, now = Date.now } = context
  let removed = 0
  const search = { ...context, changedBefore: now() - orphanAgeSeconds * 1000 }
  for await (const { id } of findOrphans(search)) {
    await store.remove(generationPrefix(id), signal)
    removed += 1
  }
  if (removed > 0) log.warn({ generations: removed }, 'Objects of generations that Redis does not know of were removed')
}

/** Removes now and then the objects of generations that Redis has forgotten, by losing its data. Whoever comes first does it for all. */
export const createOrphanSweep =
  (context: OrphansContext): (() => Promise<void>) =>
  async () => {
    const { redis, keys, orphanIntervalMs, signal } = context
    const isMine = await onRedis(() => redis.set(keys.orphansLooked, '1', 'PX', orphanIntervalMs, 'NX'))
    if (isMine === null) return
    let isDone = false
    try {
      await removeOrphans(context)
      isDone = !signal.aborted
    } finally {
      // Else the next pass would be as far off as after one that came to its end.
      if (!isDone) await redis.del(keys.orphansLooked).catch(() => undefined)
    }
  }
