/** Numbers of pino's levels. */
const ERROR = 50
const STORE_AWAY = 'StoreUnavailable'

interface Logged {
  type?: unknown
  message?: unknown
  code?: unknown
  cause?: Logged
}

const isLogged = (value: unknown): value is Logged => typeof value === 'object' && value !== null && 'stack' in value

/** What happened, and within parentheses why. */
const reasonOf = ({ type, message, code, cause }: Logged): string => {
  const what = String(message || code || type)
  return isLogged(cause) ? `${what} (${reasonOf(cause)})` : what
}

/**
 * A line of a log in JSON as people read it: what is tried again by itself, and a store that is away, is one line with its reason, and
 * only what broke here has its stack. An outage brings such lines again and again.
 */
export const briefLine = (line: string): string => {
  if (!line.includes('"stack":')) return line
  const { err, ...rest } = JSON.parse(line) as { level?: number; err?: unknown }
  if (!isLogged(err) || ((rest.level ?? 0) >= ERROR && err.type !== STORE_AWAY)) return line
  return `${JSON.stringify({ ...rest, reason: reasonOf(err) })}\n`
}
