import { parseEvent, type WebhookEvent } from './event.ts'
import { type Bytes, decodeBase64, openKeys, type WebhookKey } from './keys.ts'

/** The delivery is not from who has the key, is too old, or is no event. The message says which, and is for the log, not for the sender. */
export class WebhookVerificationError extends Error {
  override name = 'WebhookVerificationError'
}

export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

export interface VerifiedWebhook {
  /** The same for every attempt to deliver: what to remember, since deliveries come at least once. */
  id: string
  /** When this attempt was sent. */
  timestamp: Date
  /** The body. */
  event: WebhookEvent
}

const TOLERANCE_SECONDS = 300

const fail = (message: string): never => {
  throw new WebhookVerificationError(message)
}

const readHeader = (headers: WebhookHeaders, name: string): string => {
  if (headers instanceof Headers) return headers.get(name) ?? fail(`The header ${name} is missing.`)
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  return (typeof found === 'string' ? found : found?.join(' ')) || fail(`The header ${name} is missing.`)
}

const readTimestamp = (text: string, now: Date): Date => {
  const seconds = /^\d+$/.test(text) ? Number(text) : fail('The header webhook-timestamp is not a number of seconds.')
  const ageSeconds = now.getTime() / 1000 - seconds
  if (ageSeconds > TOLERANCE_SECONDS) fail('The delivery is older than 5 minutes.')
  if (ageSeconds < -TOLERANCE_SECONDS) fail('The delivery is from the future: is the clock right?')
  return new Date(seconds * 1000)
}

const signedBytes = (id: string, timestamp: string, rawBody: string | Uint8Array): Bytes => {
  const encoder = new TextEncoder()
  const head = encoder.encode(`${id}.${timestamp}.`)
  const body = typeof rawBody === 'string' ? encoder.encode(rawBody) : rawBody
  const bytes = new Uint8Array(head.length + body.length)
  bytes.set(head)
  bytes.set(body, head.length)
  return bytes
}

/** Signatures of each version; those of versions that are not known are for newer receivers. */
const readSignatures = (text: string) =>
  text.split(' ').map((signature) => {
    const [version, encoded = ''] = signature.split(',', 2)
    return { version, bytes: decodeBase64(encoded) }
  })

/**
 * Verifies a delivery by Standard Webhooks 1.0. Give the body as it came, not parsed and written anew. Several keys may be good at a
 * time, while one replaces the other; comparison takes the same time wherever signatures differ, as Web Crypto sees to.
 * @throws WebhookVerificationError when no signature is made with one of the keys, or the delivery is not of these 5 minutes;
 * TypeError for a key that is none.
 */
export const verifyWebhook = async (
  rawBody: string | Uint8Array,
  headers: WebhookHeaders,
  keys: WebhookKey | readonly WebhookKey[],
  { now = new Date() }: { now?: Date } = {}
): Promise<VerifiedWebhook> => {
  const verifiers = await openKeys(keys)
  const id = readHeader(headers, 'webhook-id')
  const sentAt = readHeader(headers, 'webhook-timestamp')
  const signatures = readSignatures(readHeader(headers, 'webhook-signature'))
  const timestamp = readTimestamp(sentAt, now)
  const signed = signedBytes(id, sentAt, rawBody)
  const checks = verifiers.flatMap(({ version, fits }) =>
    signatures.flatMap((signature) => (signature.version === version && signature.bytes ? fits(signature.bytes, signed) : []))
  )
  if (!(await Promise.all(checks)).includes(true)) fail('No signature of the delivery is made with the key.')
  const text = typeof rawBody === 'string' ? rawBody : new TextDecoder().decode(rawBody)
  return { id, timestamp, event: parseEvent(text) ?? fail('The body of the delivery is no event.') }
}
