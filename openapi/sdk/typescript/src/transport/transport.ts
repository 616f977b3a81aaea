import { ConnectionError, NextscaleError, TimeoutError } from '../errors.ts'
import { type Deadline, startDeadline } from './deadline.ts'
import { readProblem } from './read-problem.ts'
import { retryDelayMs } from './retry-delay.ts'
import { sleep } from './sleep.ts'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>
type QueryValue = string | number | undefined

export interface Call {
  method?: 'GET' | 'POST' | 'DELETE'
  /** Below `/v1`, with a slash before it; or a whole URL, which gets no key. */
  path: string
  query?: Readonly<Record<string, QueryValue>>
  headers?: Readonly<Record<string, string>>
  body?: unknown
  signal?: AbortSignal | undefined
  /** Most time for one attempt; the client's where it is not said. */
  timeoutMs?: number | undefined
  /** Fewer or more than the client's. */
  maxRetries?: number
}

/** An answer whose body is still to be read: `fail` turns what goes wrong meanwhile into an error of this client. */
export interface Opened {
  response: Response
  deadline: Deadline
  fail: (error: unknown) => unknown
}

export interface Transport {
  request<T>(call: Call, read: (response: Response) => Promise<T>): Promise<T>
  /** One attempt. The caller reads the body and stops the deadline. */
  open(call: Call): Promise<Opened>
  maxRetries: number
}

export interface TransportOptions {
  baseUrl: string
  apiKey: string | undefined
  fetch: Fetch
  timeoutMs: number
  maxRetries: number
  onRetry?: ((error: NextscaleError, delayMs: number) => void) | undefined
}

const urlOf = (baseUrl: string, { path, query = {} }: Call): string => {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value))
  const text = parameters.toString()
  return `${path.startsWith('/') ? `${baseUrl}/v1` : ''}${path}${text && `?${text}`}`
}

const asError = (
  error: unknown,
  deadline: Deadline,
  { url, signal }: { url: string; signal: AbortSignal | undefined }
): unknown => {
  if (error instanceof NextscaleError) return error
  if (signal?.aborted) return signal.reason
  const about = { detail: '', retryable: true, cause: error }
  const where = new URL(url).origin
  if (deadline.hasPassed()) return new TimeoutError({ ...about, code: 'timed_out', detail: `${where} did not answer in time.` })
  const reason = error instanceof Error ? (error.cause instanceof Error ? error.cause : error).message : String(error)
  const detail = `${where} cannot be reached: ${reason}. Check that the server runs and the URL is right.`
  return new ConnectionError({ ...about, code: 'connection_failed', detail })
}

const headersOf = ({ path, body, headers }: Call, apiKey: string | undefined): Record<string, string> => {
  // A link to an object store carries its own signature: the key stays here.
  const isOwn = path.startsWith('/')
  return {
    ...(isOwn && { accept: 'application/json' }),
    ...(isOwn && apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...headers
  }
}

/** Sends requests and tries again what may succeed later: at most `maxRetries` times, never after the caller's signal. */
export const createTransport = (options: TransportOptions): Transport => {
  const open: Transport['open'] = async (call) => {
    const { method = 'GET', body, signal } = call
    const url = urlOf(options.baseUrl, call)
    const deadline = startDeadline(call.timeoutMs ?? options.timeoutMs, signal)
    const fail = (error: unknown) => asError(error, deadline, { url, signal })
    try {
      const text = body === undefined ? {} : { body: JSON.stringify(body) }
      const response = await options.fetch(url, {
        method,
        headers: headersOf(call, options.apiKey),
        signal: deadline.signal,
        ...text
      })
      if (!response.ok) throw await readProblem(response)
      return { response, deadline, fail }
    } catch (error) {
      deadline.stop()
      throw fail(error)
    }
  }
  const attempt = async <T>(call: Call, read: (response: Response) => Promise<T>): Promise<T> => {
    const { response, deadline, fail } = await open(call)
    try {
      return await read(response)
    } catch (error) {
      throw fail(error)
    } finally {
      deadline.stop()
    }
  }
  const request: Transport['request'] = async (call, read) => {
    const maxRetries = call.maxRetries ?? options.maxRetries
    for (let tries = 0; ; tries++) {
      try {
        return await attempt(call, read)
      } catch (error) {
        if (call.signal?.aborted) throw call.signal.reason
        const delayMs = retryDelayMs(error, { attempt: tries, maxRetries })
        if (delayMs === null) throw error
        if (error instanceof NextscaleError) options.onRetry?.(error, delayMs)
        await sleep(delayMs, call.signal)
      }
    }
  }
  return { request, open, maxRetries: options.maxRetries }
}
