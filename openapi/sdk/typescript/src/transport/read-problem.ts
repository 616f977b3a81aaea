import { NextscaleError } from '../errors.ts'
import type { Problem } from '../generated/contract.ts'
import { readRetryAfter } from './retry-after.ts'

const isProblem = (value: unknown): value is Problem =>
  typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string'

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The server knows how a key is sent, and not where this client has it from. */
const KEY_HINT =
  'The key is `apiKey` or NEXTSCALE_API_KEY; that of a service that `npm start` runs on this machine is in .nextscale/api-key.'

/** The error an answer other than 2xx stands for; whatever a proxy may have sent in place of a problem. */
export const readProblem = async (response: Response): Promise<NextscaleError> => {
  const { status } = response
  const retryAfterMs = readRetryAfter(response.headers)
  const body = parse(await response.text())
  if (isProblem(body)) {
    const { code, detail, request_id: requestId, retryable, errors } = body
    const fields = { code, detail: detail || code, status, requestId, retryable, errors, retryAfterMs }
    return new NextscaleError(code === 'unauthorized' ? { ...fields, hint: KEY_HINT } : fields)
  }
  return new NextscaleError({
    code: 'invalid_answer',
    detail: `${response.url || 'The server'} answered ${status} without a problem of Nextscale: is the URL right, and what stands between?`,
    status,
    requestId: response.headers.get('x-request-id'),
    retryable: status === 429 || status >= 500,
    retryAfterMs
  })
}
