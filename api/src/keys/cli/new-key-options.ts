import { SCOPES, type Scope } from '@nextscale/openapi'
import type { NewKey } from '../create.ts'
import { WrongCommandLine } from '../../cli/command.ts'

const DAY_MS = 86_400_000
const MAX_DAYS = 36_500
const MAX_LIMIT = 1_000_000
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._@:/+-]{0,63}$/u

/** Options that describe a new key. */
export const NEW_KEY_OPTIONS = {
  name: { type: 'string' },
  scopes: { type: 'string' },
  'requests-per-minute': { type: 'string' },
  'in-flight': { type: 'string' },
  streams: { type: 'string' },
  'expires-days': { type: 'string' }
} as const

type Values = { readonly [K in keyof typeof NEW_KEY_OPTIONS]?: string | undefined }

const readName = (name: string | undefined): string => {
  if (name === undefined) throw new WrongCommandLine('--name is missing: give the key a name to know it by.')
  if (NAME.test(name)) return name
  throw new WrongCommandLine('--name takes 1 to 64 letters, digits, spaces and . _ @ : / + -, the first a letter or digit.')
}

const isScope = (text: string): text is Scope => SCOPES.some((scope) => scope === text)

const readScopes = (text: string | undefined): Scope[] => {
  const known = `Scopes are ${SCOPES.join(', ')}; admin includes the others.`
  if (text === undefined)
    throw new WrongCommandLine(`--scopes is missing: name what the key may do, separated by commas. ${known}`)
  const names = text.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !isScope(name))
  if (unknown !== undefined) throw new WrongCommandLine(`--scopes has "${unknown}", which is no scope. ${known}`)
  return SCOPES.filter((scope) => names.includes(scope))
}

const readCount = (values: Values, name: keyof Values, maximum = MAX_LIMIT): number | null => {
  const text = values[name]
  if (text === undefined) return null
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= maximum) return value
  throw new WrongCommandLine(`--${name} takes an integer between 1 and ${maximum}, not "${text}".`)
}

/** The key that the options describe. */
export const readNewKey = (values: Values, now = Date.now()): NewKey => {
  const days = readCount(values, 'expires-days', MAX_DAYS)
  return {
    name: readName(values.name),
    scopes: readScopes(values.scopes),
    limits: {
      requests_per_minute: readCount(values, 'requests-per-minute'),
      in_flight: readCount(values, 'in-flight'),
      streams: readCount(values, 'streams')
    },
    expiresAt: days === null ? null : new Date(now + days * DAY_MS)
  }
}
