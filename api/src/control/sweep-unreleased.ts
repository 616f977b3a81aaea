import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import type { RemoveMarked } from '../generations/remove-marked.ts'
import { onRedis } from '../redis/errors.ts'

const PAGE_SIZE = 100

interface UnreleasedContext {
  redis: Redis
  removeMarked: RemoveMarked
  keys: RedisKeys
  signal: AbortSignal
}

/**
 * Takes generations out of the queue whose end is on record and whose job is still there, since the process that wanted to
 * remove it was killed, or the runner that was to end it: only so their webhooks go out while no runner is up.
 * Several processes may do so at once.
 */
export const createUnreleasedSweep =
  (context: UnreleasedContext): (() => Promise<void>) =>
  async () => {
    const { redis, keys, removeMarked, signal } = context
    let begin = 0
    while (!signal.aborted) {
      const ids = await onRedis(() => redis.zrange(keys.unreleased, String(begin), String(begin + PAGE_SIZE - 1)))
      const removals = await onRedis(() => Promise.all(ids.map((id) => removeMarked(id))))
      // Those left to their runners stay on the list, and are looked at again by the next pass.
      begin += removals.filter((removal) => removal === 'active').length
      if (ids.length < PAGE_SIZE) return
    }
  }
