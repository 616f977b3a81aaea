import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { WebhookKeySet } from '@nextscale/openapi'
import { ConfigError } from '@nextscale/platform/config'

/** PKCS #8 around an Ed25519 seed (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SEED_BYTES = 32

export interface SigningKey {
  /** For `sign(null, text, privateKey)`. */
  readonly privateKey: KeyObject
  /** What anyone may know of it. */
  readonly jwk: WebhookKeySet['keys'][number]
}

/** RFC 7638: the hash of the required members, in alphabetical order. */
const thumbprint = (x: string): string =>
  createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url')

/** Reads a key as Standard Webhooks writes it: `whsk_` and the base64 of the seed, which the public key may follow. */
const openSigningKey = (text: string): SigningKey => {
  const bytes = Buffer.from(text.replace(/^whsk_/, ''), 'base64')
  const seed = bytes.subarray(0, SEED_BYTES)
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const stated = bytes.subarray(SEED_BYTES)
  if (stated.length > 0 && stated.toString('base64url') !== x) {
    throw new ConfigError('WEBHOOK_SIGNING_KEYS has a key whose second half is not the public key of its first: leave it out.')
  }
  return { privateKey, jwk: { kty: 'OKP', crv: 'Ed25519', x, kid: thumbprint(x), use: 'sig', alg: 'EdDSA' } }
}

/** The Ed25519 keys of the configuration, in its order. */
export const openSigningKeys = (texts: readonly string[]): readonly SigningKey[] => texts.map(openSigningKey)
