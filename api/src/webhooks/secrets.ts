import { randomBytes } from 'node:crypto'
import type { RedisKeys } from '@nextscale/openapi'
import type { Redis, Result } from 'ioredis'
import Type, { type Static } from 'typebox'
import { jsonParserOf } from '../parser.ts'
import { onRedis } from '../redis/errors.ts'

const SECRET_BYTES = 32
/** How long the secret before the current one still signs. */
const OVERLAP_MS = 86_400_000
const FRESH_MS = 1000
const MAX_CACHED = 10_000

/** An owner's secret as Redis keeps it; times in Unix ms by the clock of Redis. */
const WebhookSecretRecord = Type.Object({
  current: Type.String(),
  created_at: Type.Integer(),
  previous: Type.Union([Type.String(), Type.Null()]),
  previous_expires_at: Type.Union([Type.Integer(), Type.Null()])
})
export type WebhookSecretRecord = Static<typeof WebhookSecretRecord>

/** Secrets that sign an owner's webhooks now, as `whsec_…`: the current one, and the one before it for a day. */
export type SigningSecrets = readonly [current: string, previous?: string]

export interface WebhookSecrets {
  /** Draws one the first time; at most a second old. */
  signing(owner: string): Promise<SigningSecrets>
  /** Draws one the first time. A secret that no longer signs is left out. */
  read(owner: string): Promise<WebhookSecretRecord>
  /** Puts a new one in the place of the current one, which signs for another day. The one before that ends at once. */
  rotate(owner: string): Promise<WebhookSecretRecord>
}

/** Replies the record, and the time by Redis' own clock in ms. */
export const DRAW_SECRET = {
  numberOfKeys: 1,
  readOnly: false,
  lua: `
local secrets, owner, proposed, overlap = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local text = redis.call('HGET', secrets, owner)
local record = text and cjson.decode(text)
if not record or overlap > 0 then
  local old = record and record.current or cjson.null
  record = { current = proposed, created_at = now, previous = old,
    previous_expires_at = old ~= cjson.null and now + overlap or cjson.null }
  text = cjson.encode(record)
  redis.call('HSET', secrets, owner, text)
end
return { text, now }`
} as const

const parseRecord = jsonParserOf(WebhookSecretRecord)

const inForce = (record: WebhookSecretRecord, now: number): WebhookSecretRecord =>
  (record.previous_expires_at ?? 0) > now ? record : { ...record, previous: null, previous_expires_at: null }

/** Secrets in Redis, the same for all processes: the first that needs an owner's draws it. */
export const createWebhookSecrets = (redis: Redis, keys: RedisKeys, now = Date.now): WebhookSecrets => {
  const fresh = new Map<string, { record: WebhookSecretRecord; readAt: number }>()

  const draw = async (owner: string, overlapMs: number): Promise<WebhookSecretRecord> => {
    const proposed = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`
    const [text, time] = await onRedis(() => redis.drawSecret(keys.webhookSecrets, owner, proposed, overlapMs))
    const record = parseRecord(text)
    if (record === undefined) throw new Error(`The webhook secret of ${owner} is not one this release can read`)
    if (fresh.size >= MAX_CACHED) fresh.clear()
    fresh.set(owner, { record, readAt: now() })
    return inForce(record, time)
  }

  return {
    read: (owner) => draw(owner, 0),
    rotate: (owner) => draw(owner, OVERLAP_MS),
    signing: async (owner) => {
      const known = fresh.get(owner)
      const record = known && now() - known.readAt < FRESH_MS ? inForce(known.record, now()) : await draw(owner, 0)
      return record.previous === null ? [record.current] : [record.current, record.previous]
    }
  }
}

declare module 'ioredis' {
  interface RedisCommander<Context> {
    drawSecret(
      secretsKey: string,
      owner: string,
      proposed: string,
      overlapMs: number
    ): Result<[record: string, now: number], Context>
  }
}
