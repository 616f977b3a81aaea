import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { WebhookKeySet } from '@nextscale/openapi'

const SEED_BYTES = 32
/** PKCS #8 (RFC 8410) up to the seed of an Ed25519 key. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

export interface SigningKey {
  /** Signs. */
  readonly key: KeyObject
  /** What is published of it. */
  readonly jwk: WebhookKeySet['keys'][number]
}

/** RFC 7638: the members a key of this type must have, in the order of their names. */
const thumbprint = (x: string) =>
  createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url')

/** An Ed25519 key from `whsk_` and the base64 of its seed, which may be followed by the public key. */
const readSigningKey = (text: string): SigningKey => {
  const seed = Buffer.from(text.replace(/^whsk_/, ''), 'base64').subarray(0, SEED_BYTES)
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  return { key, jwk: { kty: 'OKP', crv: 'Ed25519', x, kid: thumbprint(x), use: 'sig', alg: 'EdDSA' } }
}

export const readSigningKeys = (texts: readonly string[]): SigningKey[] => texts.map(readSigningKey)
