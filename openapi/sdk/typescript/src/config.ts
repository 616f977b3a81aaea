import type { NextscaleError } from './errors.ts'
import type { Fetch, TransportOptions } from './transport/transport.ts'

export interface NextscaleOptions {
  /** Where the server listens, with or without `/v1`. Default: the environment's `NEXTSCALE_URL`. */
  baseUrl?: string | undefined
  /** Default: the environment's `NEXTSCALE_API_KEY`. */
  apiKey?: string | undefined
  /** In place of the global `fetch`. */
  fetch?: Fetch
  /** Most time for one attempt of one request. Default 30,000. */
  timeoutMs?: number
  /** How often what may succeed later is tried again. Default 3. */
  maxRetries?: number
  /** Called before the wait that precedes another attempt. */
  onRetry?: ((error: NextscaleError, delayMs: number) => void) | undefined
}

const TIMEOUT_MS = 30_000
const MAX_RETRIES = 3

/** A browser has no environment, and Deno may not let it be read. */
const fromEnvironment = (name: string): string | undefined => {
  try {
    return (typeof process === 'undefined' ? undefined : process.env?.[name]) || undefined
  } catch {
    return undefined
  }
}

const checkedUrl = (text: string): string => {
  if (!URL.canParse(text) || !/^https?:/.test(text)) {
    throw new TypeError(`baseUrl is "${text}"; give a whole URL, for example http://localhost:8080.`)
  }
  return text.replace(/\/+$/, '').replace(/\/v1$/, '')
}

/** An invalid one would fail in `fetch`, which shows it in its message. */
const checkedKey = (text: string | undefined): string | undefined => {
  const key = text?.trim() || undefined
  if (key === undefined || /^[!-~]+$/.test(key)) return key
  throw new TypeError(
    'apiKey (or NEXTSCALE_API_KEY) has characters that no key has; give it as `nextscale keys create` prints it.'
  )
}

/** Checked options, defaults filled in. */
export const readOptions = (options: NextscaleOptions): TransportOptions => {
  const baseUrl = options.baseUrl ?? fromEnvironment('NEXTSCALE_URL')
  if (baseUrl === undefined) throw new TypeError('Give baseUrl, or set NEXTSCALE_URL: where does the server listen?')
  return {
    baseUrl: checkedUrl(baseUrl),
    apiKey: checkedKey(options.apiKey ?? fromEnvironment('NEXTSCALE_API_KEY')),
    // Called as a method of something else, a browser's fetch refuses.
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    maxRetries: options.maxRetries ?? MAX_RETRIES,
    onRetry: options.onRetry
  }
}
