import type { GenerationErrorCode } from '@nextscale/openapi'

/** A model folder that cannot be served. The message is for the operator: it names the file and what is wrong with it. */
export class ModelError extends Error {
  override name = 'ModelError'
}

/** A generation that cannot go on. `message` is public; the cause stays in the log. */
export class JobError extends Error {
  override name = 'JobError'
  readonly code: GenerationErrorCode

  constructor(code: GenerationErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
