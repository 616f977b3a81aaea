import type { RedisKeys, Scope } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import type { ApiKeyRecord, KeyLimits } from './record.ts'
import { digestOf, formatToken, newToken } from './token.ts'

const DISPLAYED_LENGTH = 4

export interface KeyContext {
  redis: Redis
  keys: RedisKeys
}

export interface NewKey {
  name: string
  scopes: readonly Scope[]
  limits: KeyLimits
  expiresAt: Date | null
}

export interface CreatedKey {
  record: ApiKeyRecord
  /** Known only now: it cannot be read back. */
  token: string
}

/** Makes a key and stores all of it but the secret. */
export const createKey = async ({ redis, keys }: KeyContext, wanted: NewKey, now = new Date()): Promise<CreatedKey> => {
  const token = newToken()
  const record: ApiKeyRecord = {
    id: token.id,
    name: wanted.name,
    secret_sha256: digestOf(token.secret).toString('hex'),
    secret_end: token.secret.slice(-DISPLAYED_LENGTH),
    scopes: [...wanted.scopes],
    limits: wanted.limits,
    created_at: now.toISOString(),
    expires_at: wanted.expiresAt?.toISOString() ?? null
  }
  // In this order: a key that is there must never be one that nobody remembers.
  await redis.set(keys.keysMade, '1')
  await redis.hset(keys.apiKeys, record.id, JSON.stringify(record))
  return { record, token: formatToken(token) }
}
