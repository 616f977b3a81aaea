import { KEPT_ANSWER_BYTES, type WebhookAttempt } from '@nextscale/openapi'
import { type Egress, type EgressAnswer, EgressRefusal } from '../egress/egress.ts'

const MAX_ANSWER_BYTES = 65_536

export interface AttemptRequest {
  url: string
  headers: Readonly<Record<string, string>>
  body: string
  timeoutMs: number
  signal: AbortSignal
}

export interface AttemptReport {
  attempt: WebhookAttempt
  /** What the receiver asked for in `Retry-After`, in ms. */
  retryAfterMs: number | null
}

/** The beginning of a text that is no more than so many bytes of UTF-8. */
const beginningOf = (text: string, bytes: number): string => {
  const buffer = Buffer.from(text)
  if (buffer.length <= bytes) return text
  // A character cut in two decodes to one that replaces it.
  return buffer.subarray(0, bytes).toString().replace(/�$/u, '')
}

const readRetryAfter = (value: string | readonly string[] | undefined, now: number): number | null => {
  const text = typeof value === 'string' ? value : value?.[0]
  if (text === undefined) return null
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}

const answered = ({ status, body }: EgressAnswer): Pick<WebhookAttempt, 'outcome' | 'status_code' | 'error' | 'response'> => ({
  outcome: status >= 200 && status < 300 ? 'delivered' : 'rejected',
  status_code: status,
  error: null,
  response: beginningOf(body, KEPT_ANSWER_BYTES)
})

const failed = (error: unknown): ReturnType<typeof answered> => {
  const isTimeout = error instanceof DOMException && error.name === 'TimeoutError'
  const outcome = error instanceof EgressRefusal ? 'refused' : isTimeout ? 'timeout' : 'unreachable'
  const message = isTimeout ? 'No whole answer in time.' : error instanceof Error ? error.message : 'The connection failed.'
  return { outcome, status_code: null, error: message, response: null }
}

/** Makes one request to a receiver. Whatever comes of it is a report; only the given signal makes it throw. */
export const makeAttempt = async (egress: Egress, request: AttemptRequest): Promise<AttemptReport> => {
  const at = new Date()
  const begun = performance.now()
  const report = (result: ReturnType<typeof answered>, retryAfterMs: number | null = null): AttemptReport => ({
    attempt: { at: at.toISOString(), latency_ms: Math.round((performance.now() - begun) * 10) / 10, ...result },
    retryAfterMs
  })
  try {
    const answer = await egress.post({ ...request, maxAnswerBytes: MAX_ANSWER_BYTES })
    return report(answered(answer), readRetryAfter(answer.headers['retry-after'], Date.now()))
  } catch (error) {
    request.signal.throwIfAborted()
    return report(failed(error))
  }
}

/** The attempt of a delivery of which nothing is left to tell. */
export const goneAttempt = (error: string): WebhookAttempt => ({
  at: new Date().toISOString(),
  outcome: 'gone',
  status_code: null,
  latency_ms: 0,
  error,
  response: null
})
