import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import type { ObjectStore } from '@nextscale/platform/object-store'
import { onRedis } from '../redis/errors.ts'

/** How long no key counts as none yet. */
const FRESH_MS = 1000

/** Name of the mark in the object store. */
const MARK = 'keys-made'
const MADE = '1'
/** The object store has no mark. Redis that says so has not lost its data since. */
const NONE = '0'

export interface KeyMemory {
  /** Whether there is or has been any key, as of at most a second ago. What is once known to be so stays so. */
  anyEver(): boolean | Promise<boolean>
  /** To be told of every key that is seen. */
  remember(): void
}

interface MemoryContext {
  redis: Redis
  keys: RedisKeys
  store: Pick<ObjectStore, 'mark' | 'isMarked'>
  now?: () => number
}

/**
 * Remembers in this process, in Redis and in the object store that there has been a key, so that nothing opens should Redis lose its
 * data. The store is asked only where Redis may have lost it: when it was away, or does not say that the store was asked.
 */
export const createKeyMemory = ({ redis, keys, store, now = Date.now }: MemoryContext): KeyMemory => {
  let isKnown = false
  let hasAsked = false
  let lookedAt = Number.NEGATIVE_INFINITY
  let looking: Promise<boolean> | undefined
  redis.on('close', () => (hasAsked = false))

  const remember = () => {
    if (isKnown) return
    isKnown = true
    // Keys of an earlier release left no mark. What fails is done by the next process that sees a key.
    redis.set(keys.keysMade, MADE).catch(() => undefined)
    store.mark(MARK).catch(() => undefined)
  }

  const askStore = async (): Promise<boolean> => {
    if (await store.isMarked(MARK)) return true
    // Not where a key has been made meanwhile.
    await onRedis(() => redis.set(keys.keysMade, NONE, 'NX'))
    hasAsked = true
    return false
  }

  const look = async (): Promise<boolean> => {
    const at = now()
    const [count, said] = await onRedis(() => Promise.all([redis.hlen(keys.apiKeys), redis.get(keys.keysMade)]))
    const isNoneYet = count === 0 && said !== MADE && ((hasAsked && said === NONE) || !(await askStore()))
    if (!isNoneYet) remember()
    lookedAt = at
    return isKnown
  }

  return {
    remember,
    anyEver: () => {
      if (isKnown || now() - lookedAt < FRESH_MS) return isKnown
      looking ??= look().finally(() => (looking = undefined))
      return looking
    }
  }
}
