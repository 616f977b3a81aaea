import { createHmac, timingSafeEqual } from 'node:crypto'

/** Signature of a link: HMAC-SHA256 over the key and the time it expires, in seconds. */
export const signLink = (secret: string, key: string, expires: number): string =>
  createHmac('sha256', secret).update(`${key}\n${expires}`).digest('base64url')

/** Whether a signature is ours. The comparison takes the same time wherever they differ. */
export const isSignatureOf = (secret: string, key: string, expires: number, signature: string): boolean => {
  const expected = Buffer.from(signLink(secret, key, expires))
  const given = Buffer.from(signature)
  return given.length === expected.length && timingSafeEqual(given, expected)
}
