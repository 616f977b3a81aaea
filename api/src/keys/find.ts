import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { type ApiKeyRecord, parseRecord } from './record.ts'

/** How long a key may still be taken after it was revoked. */
const FRESH_MS = 1000
const MAX_CACHED = 10_000

export interface KeyFinder {
  /** The record of an id, at most a second old. A plain value where it is known, so that most requests wait for nothing. */
  find(id: string): ApiKeyRecord | undefined | Promise<ApiKeyRecord | undefined>
  /** Whether there is or has been any key, as of at most a second ago. What is once known to be so stays so. */
  anyEver(): boolean | Promise<boolean>
}

/** Where it is remembered beside Redis that there has been a key: should Redis lose its data, nothing opens. */
export type KeysMark = Pick<ObjectStore, 'mark' | 'isMarked'>

/** Name of the mark in the object store. */
const KEYS_MADE = 'keys-made'

interface Looked<T> {
  value: T
  lookedAt: number
}

interface FinderContext {
  redis: Redis
  keys: RedisKeys
  store: KeysMark
  now?: () => number
}

/** Remembers, at three places, that there has been a key. */
const createMemory = ({ redis, keys, store, now = Date.now }: FinderContext) => {
  let isKnown = false
  let lookedAt = Number.NEGATIVE_INFINITY
  let looking: Promise<boolean> | undefined

  const remember = () => {
    if (isKnown) return
    isKnown = true
    // Keys of an earlier release left no mark. What fails is done by the next process that sees a key.
    redis.set(keys.keysMade, '1').catch(() => undefined)
    store.mark(KEYS_MADE).catch(() => undefined)
  }
  const look = async (): Promise<boolean> => {
    const at = now()
    const [count, mark] = await onRedis(() => Promise.all([redis.hlen(keys.apiKeys), redis.exists(keys.keysMade)]))
    if (count > 0 || mark === 1 || (await store.isMarked(KEYS_MADE))) remember()
    lookedAt = at
    return isKnown
  }
  return {
    remember,
    anyEver: (): boolean | Promise<boolean> => {
      if (isKnown || now() - lookedAt < FRESH_MS) return isKnown
      looking ??= look().finally(() => (looking = undefined))
      return looking
    }
  }
}

/** Looks keys up in Redis; those that exist are kept for a second, and simultaneous looks for one are shared. */
export const createKeyFinder = (context: FinderContext): KeyFinder => {
  const { redis, keys, now = Date.now } = context
  const records = new Map<string, Looked<ApiKeyRecord>>()
  const pending = new Map<string, Promise<ApiKeyRecord | undefined>>()
  const memory = createMemory(context)

  const look = async (id: string) => {
    const lookedAt = now()
    const text = await onRedis(() => redis.hget(keys.apiKeys, id))
    const record = text === null ? undefined : parseRecord(text)
    // Ids there are none of are not kept: anyone can make up as many as they like.
    if (record === undefined) records.delete(id)
    else {
      memory.remember()
      if (records.size >= MAX_CACHED) records.clear()
      records.set(id, { value: record, lookedAt })
    }
    return record
  }

  return {
    find(id) {
      const known = records.get(id)
      if (known && now() - known.lookedAt < FRESH_MS) return known.value
      const shared = pending.get(id)
      if (shared) return shared
      const looking = look(id).finally(() => pending.delete(id))
      pending.set(id, looking)
      return looking
    },
    anyEver: () => memory.anyEver()
  }
}
