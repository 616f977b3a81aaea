import { foreseen, ProblemError } from '../http/problem.ts'

/** Replies that say Redis is there but cannot serve now: loading, failing over, locked, refusing writes or us, without our scripts. */
const UNAVAILABLE_REPLY =
  /\b(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|MOVED|ASK|TRYAGAIN|BUSY|MISCONF|NOREPLICAS|NOAUTH|WRONGPASS|NOPERM|NOSCRIPT)\b/

const isProgrammingError = (error: unknown) =>
  error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError

const toProblemError = (error: unknown): unknown => {
  if (foreseen(error) || isProgrammingError(error) || !(error instanceof Error)) return error
  if (/\bOOM\b/.test(error.message)) {
    return new ProblemError(
      'queue_full',
      'The queue has no memory left. Try again when its Redis has been given more, or has forgotten old generations.',
      {
        cause: error
      }
    )
  }
  if (error.name === 'ReplyError' && !UNAVAILABLE_REPLY.test(error.message)) return error
  return new ProblemError('queue_unavailable', 'The queue cannot be reached now. Try again in a few seconds.', { cause: error })
}

/** Together with the time of a request's own work this keeps every answer under 2 s when Redis hangs. */
const DEADLINE_MS = 1500

/**
 * Runs Redis commands within the deadline; whatever their failure, it comes out as the problem the client should see.
 * One deadline for all commands of a piece of work: ioredis would set a timer for each, which shows in accepts/s.
 */
export const onRedis = async <T>(work: () => Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Redis has not answered for ${DEADLINE_MS} ms`)), DEADLINE_MS)
  })
  try {
    return await Promise.race([work(), late])
  } catch (error) {
    throw toProblemError(error)
  } finally {
    clearTimeout(timer)
  }
}

/** Whether Redis has not answered, so that nobody knows what became of a command. */
export const isUnanswered = (error: unknown): boolean => error instanceof ProblemError && error.code === 'queue_unavailable'
