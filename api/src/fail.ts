import { ConfigError, WRONG_SETTING } from '@nextscale/platform/config'
import { printError } from '@nextscale/platform/terminal'

/** Ends the process with a sentence for whoever started it. */
export const fail = (sentence: string, exitCode = 1): never => {
  printError(sentence)
  process.exit(exitCode)
}

/** What comes of the settings; one that cannot be taken ends the process. */
export const configure = async <T>(read: () => T | Promise<T>): Promise<T> => {
  try {
    return await read()
  } catch (error) {
    if (error instanceof ConfigError) return fail(error.message, WRONG_SETTING)
    throw error
  }
}
