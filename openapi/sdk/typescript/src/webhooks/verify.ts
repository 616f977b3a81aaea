/** The delivery is not from who has the secret, or is too old. The message says which, and is for the log, not for the sender. */
export class WebhookVerificationError extends Error {
  override name = 'WebhookVerificationError'
}

export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

export interface VerifiedWebhook {
  /** The same for every attempt to deliver: what to remember, since deliveries come at least once. */
  id: string
  /** When this attempt was sent. */
  timestamp: Date
  /** The body, parsed. */
  payload: unknown
}

const TOLERANCE_SECONDS = 300
const SECRET_PREFIX = 'whsec_'
const ALGORITHM = { name: 'HMAC', hash: 'SHA-256' }

const fail = (message: string): never => {
  throw new WebhookVerificationError(message)
}

const readHeader = (headers: WebhookHeaders, name: string): string => {
  if (headers instanceof Headers) return headers.get(name) ?? fail(`The header ${name} is missing.`)
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  return (typeof found === 'string' ? found : found?.join(' ')) || fail(`The header ${name} is missing.`)
}

const decodeBase64 = (text: string): Uint8Array<ArrayBuffer> | undefined => {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

const importKey = (secret: string) => {
  const bytes = decodeBase64(secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : secret)
  if (!bytes || bytes.length === 0) throw new TypeError('The webhook secret is not whsec_ and base64.')
  return crypto.subtle.importKey('raw', bytes, ALGORITHM, false, ['verify'])
}

const readTimestamp = (text: string, now: Date): Date => {
  const seconds = /^\d+$/.test(text) ? Number(text) : fail('The header webhook-timestamp is not a number of seconds.')
  const ageSeconds = now.getTime() / 1000 - seconds
  if (ageSeconds > TOLERANCE_SECONDS) fail('The delivery is older than 5 minutes.')
  if (ageSeconds < -TOLERANCE_SECONDS) fail('The delivery is from the future: is the clock right?')
  return new Date(seconds * 1000)
}

const signedBytes = (id: string, timestamp: string, rawBody: string | Uint8Array): Uint8Array<ArrayBuffer> => {
  const encoder = new TextEncoder()
  const head = encoder.encode(`${id}.${timestamp}.`)
  const body = typeof rawBody === 'string' ? encoder.encode(rawBody) : rawBody
  const bytes = new Uint8Array(head.length + body.length)
  bytes.set(head)
  bytes.set(body, head.length)
  return bytes
}

/**
 * Verifies a delivery by Standard Webhooks 1.0. Give the body as it came, not parsed and written anew. Several secrets may be good at a
 * time, while one replaces the other; comparison takes the same time wherever signatures differ, as Web Crypto sees to.
 * @throws WebhookVerificationError when no signature is made with one of the secrets, or the delivery is not of these 5 minutes.
 */
export const verifyWebhook = async (
  rawBody: string | Uint8Array,
  headers: WebhookHeaders,
  secret: string | readonly string[],
  { now = new Date() }: { now?: Date } = {}
): Promise<VerifiedWebhook> => {
  const id = readHeader(headers, 'webhook-id')
  const sentAt = readHeader(headers, 'webhook-timestamp')
  const signatures = readHeader(headers, 'webhook-signature')
    .split(' ')
    .flatMap((text) => (text.startsWith('v1,') ? (decodeBase64(text.slice(3)) ?? []) : []))
  const timestamp = readTimestamp(sentAt, now)
  const bytes = signedBytes(id, sentAt, rawBody)
  const keys = await Promise.all((typeof secret === 'string' ? [secret] : secret).map(importKey))
  const checks = keys.flatMap((key) => signatures.map((signature) => crypto.subtle.verify(ALGORITHM, key, signature, bytes)))
  if (!(await Promise.all(checks)).includes(true)) fail('No signature of the delivery is made with the secret.')
  const text = typeof rawBody === 'string' ? rawBody : new TextDecoder().decode(rawBody)
  return { id, timestamp, payload: JSON.parse(text) }
}
