import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import type { ObjectStore } from '@nextscale/platform/object-store'
import { createKeyMemory, type KeyMemory } from './any-ever.ts'
import { type ApiKeyRecord, parseRecord } from './record.ts'

/** How long a key may still be taken after it was revoked. */
const FRESH_MS = 1000
const MAX_CACHED = 10_000

export interface KeyFinder extends Pick<KeyMemory, 'anyEver'> {
  /** The record of an id, at most a second old. A plain value where it is known, so that most requests wait for nothing. */
  find(id: string): ApiKeyRecord | undefined | Promise<ApiKeyRecord | undefined>
}

interface Looked<T> {
  value: T
  lookedAt: number
}

interface FinderContext {
  redis: Redis
  keys: RedisKeys
  store: Pick<ObjectStore, 'mark' | 'isMarked'>
  now?: () => number
}

/** Looks keys up in Redis; those that exist are kept for a second, and simultaneous looks for one are shared. */
export const createKeyFinder = (context: FinderContext): KeyFinder => {
  const { redis, keys, now = Date.now } = context
  const records = new Map<string, Looked<ApiKeyRecord>>()
  const pending = new Map<string, Promise<ApiKeyRecord | undefined>>()
  const memory = createKeyMemory(context)

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
