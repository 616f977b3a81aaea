import { type GenerationError, generateImageJob, type Stage } from '@nextscale/openapi'
import { StoreUnavailable } from '@nextscale/platform/object-store'
import { Compile } from 'typebox/compile'
import { JobError } from '../errors.ts'

const ErrorReason = Compile(generateImageJob.error)

/** An attempt that failed and is to be followed by another. The message is the stored reason. */
export class RetryLater extends Error {
  override name = 'RetryLater'
  readonly delayMs: number

  constructor(reason: string, delayMs: number) {
    super(reason)
    this.delayMs = delayMs
  }
}

/** Anything thrown as a JobError; what was not foreseen keeps its details to the log. */
export const asJobError = (error: unknown): JobError => {
  if (error instanceof JobError) return error
  if (error instanceof StoreUnavailable)
    return new JobError('object_store_unavailable', 'The picture could not be stored.', error)
  return new JobError('internal_error', 'The generation failed.', error)
}

/** The stored reason of a failure is a GenerationError as JSON. */
export const failureReason = ({ code, message }: JobError, attempt: number): string => {
  const retryable = code !== 'invalid_job'
  const reason: GenerationError = { code, message: attempt > 1 ? `${message} (attempt ${attempt})` : message, retryable }
  return JSON.stringify(reason)
}

/** What a generation waits for that is tried again after such a failure, in words for its caller; undefined where it is only its turn. */
export const waitingFor = (code: GenerationError['code']): { stage: Stage; message: string } | undefined => {
  if (code === 'model_load_failed')
    return {
      stage: 'waiting_for_model',
      message: 'Its model could not be loaded on the runner that took it up last. It is tried again until its deadline.'
    }
  if (code === 'object_store_unavailable')
    return { stage: 'queued', message: 'The object store could not be used. It is tried again until its deadline.' }
  return undefined
}

/** The code in a stored reason; BullMQ’s own reasons have none. */
export const codeOf = (reason: string | undefined): GenerationError['code'] => {
  try {
    const parsed: unknown = JSON.parse(reason ?? '')
    return ErrorReason.Check(parsed) ? parsed.code : 'internal_error'
  } catch {
    return 'internal_error'
  }
}
