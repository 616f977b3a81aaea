import { EgressRefusal } from './egress.ts'

/** A connection that was not made, or broke. The message is for the owner of the URL and holds no address. */
class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly code: string

  constructor(text: string, code: string, cause: unknown) {
    super(`${text} (${code}).`, { cause })
    this.code = code
  }
}

const CLOSED = 'The connection was closed before a whole answer'
const UNREACHED = 'The host cannot be reached'
const UNTRUSTED = 'The certificate is of no authority that is trusted here'

const TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there',
  ECONNRESET: CLOSED,
  EPIPE: CLOSED,
  UND_ERR_SOCKET: CLOSED,
  UND_ERR_CONNECT_TIMEOUT: 'The host did not take the connection in time',
  ETIMEDOUT: 'The host did not take the connection in time',
  EHOSTUNREACH: UNREACHED,
  ENETUNREACH: UNREACHED,
  EADDRNOTAVAIL: UNREACHED,
  ENOTFOUND: 'The name has no address',
  EAI_AGAIN: 'The name servers did not answer',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_HAS_EXPIRED: 'The certificate has expired',
  CERT_NOT_YET_VALID: 'The certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate is for another host',
  // The client's own way to say that a status is none.
  ERR_ASSERTION: 'The answer is not HTTP',
  UND_ERR_HEADERS_OVERFLOW: 'The headers of the answer are too large'
}

const textOf = (code: string) => {
  const known = TEXTS[code]
  if (known !== undefined) return known
  if (code.startsWith('HPE_')) return 'The answer is not HTTP'
  return code.startsWith('ERR_SSL_') || code === 'EPROTO' ? 'No TLS connection came about' : 'The connection failed'
}

/** Not every error of the parser has a code. */
const codeOf = (error: unknown): string | undefined => {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.name === 'HTTPParserError' ? 'HPE_INVALID' : undefined
}

const isOver = (error: unknown) => error instanceof DOMException && error.name === 'TimeoutError'

/** What a request failed with, as its owner may see it. Refusals and deadlines stay what they are. */
export const toConnectionError = (error: unknown, signal: AbortSignal): unknown => {
  if (error instanceof EgressRefusal || isOver(error) || error === signal.reason) return error
  const code = codeOf(error)
  return code === undefined ? error : new ConnectionError(textOf(code), code, error)
}
