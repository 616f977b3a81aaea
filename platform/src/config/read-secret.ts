import { readFileSync, statSync } from 'node:fs'
import { ConfigError, type Environment, readString } from './readers.ts'

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read'

/** What the file of a setting holds. Its content is not repeated in errors. `mend` says what the setting is to be set to. */
export const readFileOf = (name: string, path: string, mend: string): string => {
  const read = () => {
    try {
      // A pipe would be waited for, for ever.
      return statSync(path).isFile() ? readFileSync(path, 'utf8').trim() : undefined
    } catch (error) {
      throw new ConfigError(`${name}=${path} cannot be read (${reasonOf(error)}): ${mend}`)
    }
  }
  const content = read()
  if (content === undefined) throw new ConfigError(`${name}=${path} is no regular file: ${mend}`)
  if (content === '') throw new ConfigError(`${name}=${path} is empty: ${mend}`)
  return content
}

/**
 * A setting that is a secret: its variable, or the content of the file that the variable with `_FILE` behind its name has the path of, as
 * container platforms mount secrets.
 */
export const readSecret = (env: Environment, name: string): string | undefined => {
  const value = readString(env, name)
  const path = readString(env, `${name}_FILE`)
  if (path === undefined) return value
  if (value !== undefined)
    throw new ConfigError(`${name} and ${name}_FILE are both set, and only one can be meant: unset the other.`)
  return readFileOf(`${name}_FILE`, path, `set ${name}_FILE to a file that holds the value of ${name}.`)
}
