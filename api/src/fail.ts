import { ConfigError } from '@nextscale/platform/config'
import { printError } from '@nextscale/platform/terminal'

/** Ends the process with a sentence for whoever started it. */
export const fail = (sentence: string): never => {
  printError(sentence)
  process.exit(1)
}

/** What a reader of the environment makes of it; a setting it cannot take ends the process. */
export const configure = <T>(read: () => T): T => {
  try {
    return read()
  } catch (error) {
    if (error instanceof ConfigError) return fail(error.message)
    throw error
  }
}
