import { type Problem, type ProblemCode, PROBLEMS } from '@nextscale/openapi'
import { BadLink, NoSuchObject, StoreUnavailable } from '@nextscale/platform/object-store'
import { printable } from './printable.ts'

export type FieldError = Problem['errors'][number]

interface ProblemOptions {
  errors?: readonly FieldError[]
  /** Overrides the usual `Retry-After` of the code. */
  retryAfterSeconds?: number
  /** Headers beside the usual ones. */
  headers?: Readonly<Record<string, string>>
  /** What happened inside; logged, never shown. */
  cause?: unknown
}

/** `Retry-After` of problems that pass by themselves. */
const RETRY_AFTER_SECONDS: Partial<Record<ProblemCode, number>> = {
  generation_not_terminal: 1,
  queue_unavailable: 2,
  queue_full: 5,
  object_store_unavailable: 5,
  no_models: 2,
  shutting_down: 2
}

/** An answer other than the one asked for. `detail` is public and says how to mend it. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly code: ProblemCode
  readonly errors: readonly FieldError[]
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause })
    this.code = code
    this.errors = options.errors ?? []
    const retryAfter = options.retryAfterSeconds ?? RETRY_AFTER_SECONDS[code]
    this.headers = { ...options.headers, ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }) }
  }

  get status(): number {
    return PROBLEMS[this.code].status
  }
}

/** The answer to an error that was foreseen: a problem, or one of the object store. */
export const foreseen = (error: unknown): ProblemError | undefined => {
  if (error instanceof ProblemError) return error
  if (error instanceof StoreUnavailable)
    return new ProblemError('object_store_unavailable', error.message, { cause: error.cause })
  if (error instanceof NoSuchObject) return new ProblemError('object_not_found', error.message)
  if (error instanceof BadLink) return new ProblemError('link_invalid', error.message)
  return undefined
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** The body of a problem response. */
export const toProblem = (error: ProblemError, requestId: string): Problem => ({
  type: `urn:nextscale:problem:${error.code}`,
  title: PROBLEMS[error.code].title,
  status: error.status,
  detail: printable(error.message),
  code: error.code,
  request_id: requestId,
  retryable: PROBLEMS[error.code].retryable,
  errors: error.errors.map(({ pointer, detail }) => ({ pointer, detail: printable(detail) }))
})
