export type Environment = Readonly<Record<string, string | undefined>>

/** Exit code of a process that a setting stops (`EX_CONFIG` of sysexits): starting it again changes nothing. */
export const WRONG_SETTING = 78

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
  throw new ConfigError(`${name} must be an integer from ${minimum} to ${maximum}, not ${shown(text)}.`)
}

const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40
}

const SOME_SIZES = 'such as 500MB, 8GB or 1.5GiB'

/** A size in bytes, which is written with its unit. */
export const readSize = (env: Environment, name: string): number | undefined => {
  const text = readString(env, name)
  if (text === undefined) return undefined
  const [, number, unit = ''] = /^(\d{1,12}(?:\.\d{1,12})?) ?([A-Za-z]{1,3})$/.exec(text) ?? []
  const bytes = Math.floor(Number(number) * (BYTES[unit.toUpperCase()] ?? Number.NaN))
  if (bytes >= 1 && bytes <= Number.MAX_SAFE_INTEGER) return bytes
  if (Number.isNaN(bytes)) throw new ConfigError(`${name} must be a size with its unit, ${SOME_SIZES}, not ${shown(text)}.`)
  const [what, instead] = bytes < 1 ? ['small', 'more'] : ['large', 'less']
  throw new ConfigError(`${name} is ${shown(text)}, which is too ${what}: set it to ${instead}, ${SOME_SIZES}.`)
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

const wrongWith = (url: URL): string | undefined => {
  if (url.username !== '' || url.password !== '') return 'a user name or password'
  if (url.search !== '' || url.href.includes('?')) return 'a query'
  if (url.hash !== '' || url.href.includes('#')) return 'a fragment'
  return undefined
}

/**
 * An absolute URL of one of the given protocols, without a closing slash. Its text is not repeated in errors, since it may
 * hold a password. Paths are put after it, so it may end with one at most.
 */
export const readUrl = (env: Environment, name: string, protocols: readonly string[]): string | undefined => {
  const text = readString(env, name)
  if (text === undefined) return undefined
  if (/\s/.test(text) || !URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
    const beginnings = protocols.map((protocol) => `${protocol}//`).join(' or ')
    throw new ConfigError(`${name} must be an absolute URL that starts with ${beginnings}.`)
  }
  const url = new URL(text)
  const wrong = wrongWith(url)
  if (wrong !== undefined) throw new ConfigError(`${name} has ${wrong}, and paths are put after it: leave that out.`)
  return url.href.replace(/\/+$/, '')
}

export const readList = (env: Environment, name: string, fallback = ''): string[] =>
  (readString(env, name) ?? fallback)
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
