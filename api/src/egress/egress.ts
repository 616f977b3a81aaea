/** Why nothing is sent to a URL. The message is for its owner: it says what is wrong and what to use instead. */
export class EgressRefusal extends Error {
  override readonly name = 'EgressRefusal'
}

export interface EgressRequest {
  url: string
  headers: Readonly<Record<string, string>>
  body: string
  /** Everything in all: resolving, connecting, sending, and reading the answer. */
  timeoutMs: number
  /** Bytes of the answer that are read at most; the connection is closed at more. */
  maxAnswerBytes: number
  signal: AbortSignal
}

export interface EgressAnswer {
  status: number
  /** By lower-case names. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** What was read of the body, as UTF-8. */
  body: string
}

/**
 * The way out to addresses that callers name. Nothing is sent to a place that is not public unicast, whatever its
 * spelling, unless the configuration lets it.
 */
export interface Egress {
  /** Resolves when requests may be sent there as far as is known now. A name server that does not answer is no refusal. @throws EgressRefusal */
  check(url: string, signal?: AbortSignal): Promise<void>
  /**
   * Posts once; redirects are answers like any other. The address connected to is the one that was checked.
   * @throws EgressRefusal; a DOMException named TimeoutError when the time is up; else what the connection failed with.
   */
  post(request: EgressRequest): Promise<EgressAnswer>
  close(): Promise<void>
}
