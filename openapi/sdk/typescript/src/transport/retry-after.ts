/**
 * `Retry-After` in milliseconds: seconds, or a date measured against the server's own `Date`, so that a wrong clock here
 * does no harm. `null` where the header says nothing usable.
 */
export const readRetryAfter = (headers: Headers, now: () => number = Date.now): number | null => {
  const text = headers.get('retry-after')?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // Anything else must be an HTTP date, which begins with a weekday: Date.parse takes much that is none, such as "-1".
  const at = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) return null
  const sentAt = Date.parse(headers.get('date') ?? '')
  return Math.max(0, at - (Number.isNaN(sentAt) ? now() : sentAt))
}
