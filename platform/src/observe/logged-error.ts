import { loggedText } from './logged-text.ts'

/** Causes of causes that are logged. */
const MAX_DEPTH = 5

/** A type and not an interface: Fastify wants one that takes any string as a key. */
type LoggedError = {
  type: string
  message: string
  stack: string
  code?: unknown
  cause?: LoggedError
}

/**
 * What the log keeps of an error: named fields only. Errors of clients carry more, as ioredis' do the arguments of the
 * command that failed, which are a password when it is AUTH.
 */
export const loggedError = (error: unknown, depth = 0): LoggedError => {
  if (!(error instanceof Error)) return { type: typeof error, message: loggedText(String(error)), stack: '' }
  const isNested = error.cause !== undefined && depth < MAX_DEPTH
  return {
    type: error.name,
    message: loggedText(error.message),
    stack: loggedText(error.stack ?? ''),
    ...('code' in error && { code: error.code }),
    ...(isNested && { cause: loggedError(error.cause, depth + 1) })
  }
}
