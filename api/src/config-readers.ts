type Environment = Readonly<Record<string, string | undefined>>

/** A setting that stops the start; its message says what to set. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const shown = (value: string) => JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)

/** The value of a variable; an empty one counts as unset, since that is how compose files and shells unset it. */
export const readString = (env: Environment, name: string): string | undefined => {
  const value = env[name]?.trim()
  return value === '' ? undefined : value
}

export const readInteger = (env: Environment, name: string, fallback: number, minimum: number, maximum: number): number => {
  const text = readString(env, name)
  if (text === undefined) return fallback
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value >= minimum && value <= maximum) return value
  throw new ConfigError(`${name} must be an integer between ${minimum} and ${maximum}, not ${shown(text)}.`)
}

/** A number from 0 to 1. */
export const readShare = (env: Environment, name: string, fallback: number): number => {
  const text = readString(env, name)
  if (text === undefined) return fallback
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= 0 && value <= 1) return value
  throw new ConfigError(`${name} must be a number from 0 to 1, not ${shown(text)}.`)
}

export const readChoice = <const T extends string>(env: Environment, name: string, choices: readonly T[], fallback: T): T => {
  const text = readString(env, name)
  if (text === undefined) return fallback
  const found = choices.find((choice) => choice === text)
  if (found !== undefined) return found
  throw new ConfigError(`${name} must be one of ${choices.join(', ')}, not ${shown(text)}.`)
}

export const readPattern = (env: Environment, name: string, pattern: RegExp, described: string): string | undefined => {
  const text = readString(env, name)
  if (text === undefined || pattern.test(text)) return text
  throw new ConfigError(`${name} must be ${described}, not ${shown(text)}.`)
}

const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** An absolute URL of one of the given protocols. Its text is not repeated in errors, since it may hold a password. */
export const readUrl = (env: Environment, name: string, protocols: readonly string[]): string | undefined => {
  const text = readString(env, name)
  if (text === undefined) return undefined
  // Clients decode user names and passwords, and fail with a stack on a stray percent sign.
  if (!isDecodable(text)) throw new ConfigError(`${name} has a "%" that is not percent-encoding: write it as "%25".`)
  if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text.replace(/\/+$/, '')
  throw new ConfigError(
    `${name} must be an absolute URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}.`
  )
}
