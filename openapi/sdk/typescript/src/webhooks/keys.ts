import type { WebhookKeySet } from '../generated/contract.ts'

/**
 * What a signature is checked with: a secret (`whsec_…`), a public key (`whpk_…`), or the key set of a service
 * (`client.webhooks.keys()`).
 */
export type WebhookKey = string | WebhookKeySet

/** Bytes in memory of their own, in a spelling that TypeScript has known since before it told kinds of memory apart. */
export type Bytes = ReturnType<Uint8ArrayConstructor['of']>

/** A key, and the version of the signatures that are made with it. */
export interface Verifier {
  version: 'v1' | 'v1a'
  fits: (signature: Bytes, bytes: Bytes) => Promise<boolean>
}

const HMAC = { name: 'HMAC', hash: 'SHA-256' }
const ED25519 = { name: 'Ed25519' }
const ED25519_KEY_BYTES = 32

/** `undefined` where the text is not base64, as it is or as it is written in URLs. */
export const decodeBase64 = (text: string): Bytes | undefined => {
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

const openSecret = async (text: string): Promise<Verifier> => {
  const bytes = decodeBase64(text)
  if (!bytes || bytes.length === 0) throw new TypeError('The webhook secret is not whsec_ and base64.')
  const key = await crypto.subtle.importKey('raw', bytes, HMAC, false, ['verify'])
  return { version: 'v1', fits: (signature, signed) => crypto.subtle.verify(HMAC, key, signature, signed) }
}

const openPublicKey = async (text: string): Promise<Verifier> => {
  const bytes = decodeBase64(text)
  if (bytes?.length !== ED25519_KEY_BYTES)
    throw new TypeError('The webhook key is not whpk_ and the base64 of 32 bytes (Ed25519).')
  const key = await crypto.subtle.importKey('raw', bytes, ED25519, false, ['verify'])
  return { version: 'v1a', fits: (signature, signed) => crypto.subtle.verify(ED25519, key, signature, signed) }
}

const open = (key: WebhookKey): Promise<Verifier>[] => {
  // A set may hold keys of kinds that are not known yet.
  if (typeof key !== 'string') return key.keys.filter(({ crv }) => crv === 'Ed25519').map(({ x }) => openPublicKey(x))
  return [key.startsWith('whpk_') ? openPublicKey(key.slice('whpk_'.length)) : openSecret(key.replace(/^whsec_/, ''))]
}

/** @throws TypeError for a key that is none. */
export const openKeys = (keys: WebhookKey | readonly WebhookKey[]): Promise<Verifier[]> =>
  Promise.all(([] as WebhookKey[]).concat(keys).flatMap(open))
