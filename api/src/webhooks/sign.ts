import { createHmac, type KeyObject, sign as signWith } from 'node:crypto'
import type { SigningSecrets } from './secrets.ts'

export interface SignedMessage {
  /** `webhook-id`. */
  id: string
  /** Unix time in seconds. */
  timestamp: number
  body: string
}

const hmac = (secret: string, content: string): string =>
  createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64'))
    .update(content)
    .digest('base64')

/**
 * Headers that prove where a message comes from, by Standard Webhooks 1.0: a `v1` signature for each secret and a `v1a`
 * one for each Ed25519 key, any of which may be checked.
 */
export const signatureHeaders = ({ id, timestamp, body }: SignedMessage, secrets: SigningSecrets, keys: readonly KeyObject[]) => {
  const content = `${id}.${timestamp}.${body}`
  const symmetric = secrets.filter((secret) => secret !== undefined).map((secret) => `v1,${hmac(secret, content)}`)
  const asymmetric = keys.map((key) => `v1a,${signWith(null, Buffer.from(content), key).toString('base64')}`)
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': [...symmetric, ...asymmetric].join(' ')
  }
}
