import type { GenerationErrorCode } from '@nextscale/openapi'
import type { ModelRef } from './model/model-ref.ts'
import { plainLine } from './plain-line.ts'

/**
 * A model folder that cannot be served. The message is for the operator: it names the file and what is wrong with it, in one
 * line without anything a terminal would obey, whatever names it quotes.
 */
export class ModelError extends Error {
  override name = 'ModelError'

  constructor(message: string) {
    super(plainLine(message))
  }
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

/** No model here can make the generation, as queued. The message tells its caller what it waits for. */
export class NotServed extends Error {
  override name = 'NotServed'
  readonly model: ModelRef

  constructor(model: ModelRef, message: string) {
    super(message)
    this.model = model
  }
}
