import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import Type, { type Static } from 'typebox'
import { jsonParserOf } from '../contract/parser.ts'
import { onRedis } from '../redis/errors.ts'

const SECRET_BYTES = 32
const FRESH_MS = 1000
/** Timers may fire a little early. */
const TIMER_MARGIN_MS = 10
const MAX_CACHED = 1000
const OVERLAP_MS = 86_400_000

/** Secrets that sign an owner's webhooks now, as `whsec_…`: the current one, and the one before it for a day. */
export type SigningSecrets = readonly [current: string, previous?: string]

/** What is kept of an owner's secrets. Times in ms. */
const WebhookSecretRecord = Type.Object({
  current: Type.String(),
  created_at: Type.Number(),
  previous: Type.Optional(Type.String()),
  previous_expires_at: Type.Optional(Type.Number())
})
type WebhookSecretRecord = Static<typeof WebhookSecretRecord>

/** The current secret, and the one before it while that signs as well. Times in ms. */
export interface WebhookSecretView {
  secret: string
  createdAt: number
  previous: { secret: string; expiresAt: number } | null
}

export interface WebhookSecrets {
  /** Draws one the first time; at most a second old. */
  signing(owner: string): Promise<SigningSecrets>
  /** Draws one the first time. */
  read(owner: string): Promise<WebhookSecretView>
  /**
   * Draws a new one. The one before it signs for another day; the one before that ends. Returns once every process signs with
   * the new one, so that a receiver may be given that alone from then on.
   */
  rotate(owner: string): Promise<WebhookSecretView>
}

const parseRecord = jsonParserOf(WebhookSecretRecord)

const requireRecord = (text: string): WebhookSecretRecord => {
  const record = parseRecord(text)
  if (record === undefined) throw new Error('The record of a webhook secret cannot be read by this release')
  return record
}

const drawSecret = () => `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`

const toView = (record: WebhookSecretRecord, now: number): WebhookSecretView => {
  const { current: secret, created_at: createdAt, previous, previous_expires_at: expiresAt = 0 } = record
  const isValid = previous !== undefined && expiresAt > now
  return { secret, createdAt, previous: isValid ? { secret: previous, expiresAt } : null }
}

/** Redis' own clock, so that any number of processes agree. */
const redisClock = (redis: Redis) => async (): Promise<number> => {
  const [seconds = 0, microseconds = 0] = await redis.time()
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
}

/** The secrets of all owners, kept in Redis and shared by all processes. `clock` gives ms since 1970. */
export const createWebhookSecrets = (redis: Redis, keys: RedisKeys, clock = redisClock(redis)): WebhookSecrets => {
  const cache = new Map<string, { readAt: number; secrets: SigningSecrets }>()

  const read = (owner: string) =>
    onRedis(async () => {
      const now = await clock()
      return toView(requireRecord(await redis.drawSecret(keys.webhookSecrets, owner, drawSecret(), now)), now)
    })

  return {
    read,
    rotate: async (owner) => {
      const view = await onRedis(async () => {
        const now = await clock()
        const text = await redis.rotateSecret(keys.webhookSecrets, owner, drawSecret(), now, now + OVERLAP_MS)
        return toView(requireRecord(text), now)
      })
      cache.delete(owner)
      await wait(FRESH_MS + TIMER_MARGIN_MS)
      return view
    },
    signing: async (owner) => {
      const readAt = performance.now()
      const cached = cache.get(owner)
      if (cached && readAt - cached.readAt < FRESH_MS) return cached.secrets
      const { secret, previous } = await read(owner)
      const secrets: SigningSecrets = previous ? [secret, previous.secret] : [secret]
      if (cache.size >= MAX_CACHED) cache.clear()
      cache.set(owner, { readAt, secrets })
      return secrets
    }
  }
}
