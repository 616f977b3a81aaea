import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import { type ApiKeyRecord, parseRecord } from './record.ts'

/** How long a key may still be taken after it was revoked. */
const FRESH_MS = 1000
const MAX_CACHED = 10_000

export interface KeyFinder {
  /** The record of an id, at most a second old. A plain value where it is known, so that most requests wait for nothing. */
  find(id: string): ApiKeyRecord | undefined | Promise<ApiKeyRecord | undefined>
  /** Whether there is any key, as of at most a second ago. */
  anyExists(): boolean | Promise<boolean>
}

interface Looked<T> {
  value: T
  lookedAt: number
}

/** Looks keys up in Redis; those that exist are kept for a second, and simultaneous looks for one are shared. */
export const createKeyFinder = (redis: Redis, keys: RedisKeys, now = Date.now): KeyFinder => {
  const records = new Map<string, Looked<ApiKeyRecord>>()
  const pending = new Map<string, Promise<ApiKeyRecord | undefined>>()
  let existence: Looked<boolean> | undefined
  let counting: Promise<boolean> | undefined

  const look = async (id: string) => {
    const lookedAt = now()
    const text = await onRedis(() => redis.hget(keys.apiKeys, id))
    const record = text === null ? undefined : parseRecord(text)
    // Ids there are none of are not kept: anyone can make up as many as they like.
    if (record === undefined) records.delete(id)
    else {
      if (records.size >= MAX_CACHED) records.clear()
      records.set(id, { value: record, lookedAt })
    }
    return record
  }

  const count = async () => {
    const lookedAt = now()
    const value = (await onRedis(() => redis.hlen(keys.apiKeys))) > 0
    existence = { value, lookedAt }
    return value
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
    anyExists() {
      if (existence && now() - existence.lookedAt < FRESH_MS) return existence.value
      counting ??= count().finally(() => (counting = undefined))
      return counting
    }
  }
}
