import type { Generation, Problem } from './generated/contract.ts'

/** Codes of what goes wrong on this side of the wire; all others are the server's. */
export type ClientCode = 'connection_failed' | 'timed_out' | 'invalid_answer'
export type ErrorCode = Problem['code'] | ClientCode | NonNullable<Generation['error']>['code'] | 'canceled' | 'expired'

export interface ErrorFields {
  code: ErrorCode
  detail: string
  /** HTTP status; `null` where there was no answer. */
  status?: number | null
  requestId?: string | null
  retryable?: boolean
  errors?: Problem['errors']
  retryAfterMs?: number | null
  cause?: unknown
  /** What the message says beside the detail. */
  hint?: string
}

/** Anything that went wrong, with the fields of the server's RFC 9457 problem where there is one. */
export class NextscaleError extends Error {
  override name = 'NextscaleError'
  /** Stable; made for `switch`. */
  readonly code: ErrorCode
  readonly status: number | null
  /** What is wrong and how to mend it. */
  readonly detail: string
  /** Names the request in the server's log. */
  readonly requestId: string | null
  /** Whether the same request may succeed later. */
  readonly retryable: boolean
  /** The fields at fault, by JSON pointer. */
  readonly errors: Problem['errors']
  /** How long the server asked to be left alone. */
  readonly retryAfterMs: number | null

  constructor(fields: ErrorFields) {
    super(fields.hint === undefined ? fields.detail : `${fields.detail} ${fields.hint}`, { cause: fields.cause })
    this.code = fields.code
    this.detail = fields.detail
    this.status = fields.status ?? null
    this.requestId = fields.requestId ?? null
    this.retryable = fields.retryable ?? false
    this.errors = fields.errors ?? []
    this.retryAfterMs = fields.retryAfterMs ?? null
  }
}

/** The server was not reached, or the connection broke. `cause` is what `fetch` said. */
export class ConnectionError extends NextscaleError {
  override name = 'ConnectionError'
}

/** An answer, or the end of a generation, took longer than allowed. A generation goes on: wait for it again by its id. */
export class TimeoutError extends NextscaleError {
  override name = 'TimeoutError'
}

/** The generation ended without a picture: `failed`, `canceled` or `expired`. */
export class GenerationFailed extends NextscaleError {
  override name = 'GenerationFailed'
  readonly generation: Generation

  constructor(generation: Generation) {
    const { id, status, error } = generation
    const ended = status === 'canceled' || status === 'expired' ? status : 'internal_error'
    super({
      code: error?.code ?? ended,
      detail: `Generation ${id} ${status === 'failed' ? 'failed' : `was ${status}`}${error ? `: ${error.message}` : '.'}`,
      retryable: error?.retryable ?? false
    })
    this.generation = generation
  }
}
