import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'

/** A command that cannot be carried out. The message says what is wrong and the way out. */
export class CommandError extends Error {
  override name = 'CommandError'
}

/** Arguments that cannot be meant. */
export class WrongCommandLine extends CommandError {
  override name = 'WrongCommandLine'
}

/** One verb of a command such as `nextscale keys`. */
export interface Command<Context> {
  usage: string
  /** Checks the arguments, before anything is asked for; the result does the work and returns what to print. */
  prepare: (args: string[]) => (context: Context) => Promise<string>
}

/** The first sentence of Node's message, which goes on to explain how to escape dashes. */
const firstSentence = (message: string) => message.replace(/\.\s[^]*$|\.$/, '').replaceAll('\n', ' ')

/**
 * Options and positional arguments.
 * @throws WrongCommandLine for an option there is none of, and for too few or too many arguments.
 */
export const parse = <const T extends ParseArgsOptionsConfig>(args: string[], options: T, usage: string, count = 0) => {
  const seeUsage = `Usage: ${usage.split('\n', 1)[0]}`
  try {
    const parsed = parseArgs({ args, options, allowPositionals: true, strict: true })
    if (parsed.positionals.length === count) return parsed
  } catch (error) {
    throw new WrongCommandLine(`${firstSentence(error instanceof Error ? error.message : String(error))}. ${seeUsage}`)
  }
  throw new WrongCommandLine(`${count === 0 ? 'No' : count} arguments are expected besides options. ${seeUsage}`)
}
