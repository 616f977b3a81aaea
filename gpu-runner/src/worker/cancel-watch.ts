import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { CancelRequested } from './abort-reasons.ts'

export interface CancelWatch {
  /** Whether someone asked to cancel the generation. */
  isCanceled(generationId: string): Promise<boolean>
  /** Aborts the controller when a cancel request for the generation is heard of. Returns the way to stop. */
  watch(generationId: string, controller: AbortController): () => void
  /** Looks for a cancel request now: a message may have been missed. */
  check(generationId: string): void
}

/**
 * Hears of cancel requests. The mark in Redis is the truth; the channel only makes it quick.
 * `subscriber` must be a connection of its own.
 */
export const createCancelWatch = async (redis: Redis, subscriber: Redis, keys: RedisKeys, log: Logger): Promise<CancelWatch> => {
  const watched = new Map<string, AbortController>()
  const looking = new Set<string>()
  const isCanceled = async (generationId: string) => (await redis.exists(keys.cancelMark(generationId))) === 1
  subscriber.on('message', (_channel, generationId) => watched.get(generationId)?.abort(new CancelRequested()))
  await subscriber.subscribe(keys.cancelChannel)
  return {
    isCanceled,
    watch: (generationId, controller) => {
      watched.set(generationId, controller)
      return () => {
        // A later attempt in this process may have taken the place.
        if (watched.get(generationId) === controller) watched.delete(generationId)
      }
    },
    check: (generationId) => {
      // Many images of one generation ask at once; one look serves them all.
      if (looking.has(generationId)) return
      looking.add(generationId)
      isCanceled(generationId)
        .then(
          (canceled) => canceled && watched.get(generationId)?.abort(new CancelRequested()),
          (error: unknown) => log.warn({ err: error, generation: generationId }, 'could not look for a cancel request')
        )
        .finally(() => looking.delete(generationId))
    }
  }
}
