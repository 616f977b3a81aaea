import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'
import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'

const TOKEN_SECONDS = 3600
const SECRET_BYTES = 32
const TOKEN = /^([0-9a-z]{1,8})\.([A-Za-z0-9_-]{1,200})\.([A-Za-z0-9_-]{43})$/

/** Lines cannot be mixed up: an id has no line break, and the expiry is a number. */
const sign = (secret: KeyObject, id: string, expires: number, owner: string): Buffer =>
  createHmac('sha256', secret).update(`${id}\n${expires}\n${owner}`).digest()

/** A token that opens the event stream of one generation for an hour. */
export const mintStreamToken = (secret: KeyObject, id: string, owner: string, now: number): string => {
  const expires = Math.floor(now / 1000) + TOKEN_SECONDS
  const mac = sign(secret, id, expires, owner).toString('base64url')
  return `${expires.toString(36)}.${Buffer.from(owner).toString('base64url')}.${mac}`
}

/** What a token lets in: to the generation of an owner, until a time in Unix ms. */
export interface StreamPass {
  readonly owner: string
  readonly token: string
  readonly expiresAt: number
}

/** What a token lets in; undefined when it was not made here, for another generation, or too long ago. */
export const verifyStreamToken = (secret: KeyObject, token: string, id: string, now: number): StreamPass | undefined => {
  const [, expiresText, ownerText, macText] = TOKEN.exec(token) ?? []
  if (expiresText === undefined || ownerText === undefined || macText === undefined) return undefined
  const expires = Number.parseInt(expiresText, 36)
  const owner = Buffer.from(ownerText, 'base64url').toString()
  const isGenuine = timingSafeEqual(sign(secret, id, expires, owner), Buffer.from(macText, 'base64url'))
  return isGenuine && now < expires * 1000 ? { owner, token, expiresAt: expires * 1000 } : undefined
}

export interface StreamTokens {
  /** A token, once the secret is known; it is as soon as Redis has been reached. */
  mint(id: string, owner: string): string | undefined
  /** What the token lets in, undefined when it is not good. */
  verify(token: string, id: string): Promise<StreamPass | undefined>
}

/**
 * Stream tokens under a secret that all API processes share in Redis: the first one draws it. It is read whenever Redis
 * is found, and written back should Redis have lost it, so that no request waits for it and tokens outlive both.
 */
export const createStreamTokens = (redis: Redis, keys: RedisKeys, now = Date.now): StreamTokens => {
  // As a key object, since preparing a secret given as bytes takes longer than signing with it.
  let secret: KeyObject | undefined
  const load = async (): Promise<KeyObject> => {
    const proposed = secret?.export() ?? randomBytes(SECRET_BYTES)
    const [, stored] = await Promise.all([redis.set(keys.streamSecret, proposed, 'NX'), redis.getBuffer(keys.streamSecret)])
    return (secret = createSecretKey(stored ?? proposed))
  }
  // Not reached after all: the next connection tries again, and until then links are without a token.
  redis.on('ready', () => void load().catch(() => undefined))
  return {
    mint: (id, owner) => secret && mintStreamToken(secret, id, owner, now()),
    verify: async (token, id) => verifyStreamToken(secret ?? (await onRedis(load)), token, id, now())
  }
}
