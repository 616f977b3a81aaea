import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { plainLine } from '../plain-line.ts'

/**
 * A command that cannot be carried out. Each sentence names the argument and the way out, and is one line without anything a
 * terminal would obey.
 */
export class CommandError extends Error {
  override name = 'CommandError'

  constructor(...sentences: string[]) {
    super(sentences.map(plainLine).join('\n'))
  }
}

/** Arguments that cannot be meant. */
export class WrongCommandLine extends CommandError {
  override name = 'WrongCommandLine'
}

export interface Context {
  /** Prints lines, without anything in them that a terminal would obey. */
  say: (...lines: string[]) => void
  /**
   * Does work that leaves something behind when it is cut off: its signal fires where elsewhere SIGINT and the like end the
   * process at once, and the process ends when the work has cleaned up.
   */
  stoppable: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>
}

/** One verb of `nextscale models`. */
export interface Command {
  usage: string
  run: (args: string[], context: Context) => Promise<void>
}

/** The first sentence of Node's message, which goes on to explain how to escape dashes. */
const firstSentence = (message: string) => message.replace(/\.\s[^]*$|\.$/, '').replaceAll('\n', ' ')

/**
 * Options and positional arguments.
 * @throws WrongCommandLine for an option there is none of, and for too few or too many arguments.
 */
export const parse = <const T extends ParseArgsOptionsConfig>(
  args: string[],
  options: T,
  { usage, positionals: [least, most] }: { usage: string; positionals: readonly [number, number] }
) => {
  const seeUsage = `Usage: ${usage.split('\n', 1)[0]}`
  try {
    const parsed = parseArgs({ args, options, allowPositionals: true, strict: true })
    if (parsed.positionals.length >= least && parsed.positionals.length <= most) return parsed
  } catch (error) {
    throw new WrongCommandLine(`${firstSentence(error instanceof Error ? error.message : String(error))}. ${seeUsage}`)
  }
  throw new WrongCommandLine(
    `${least === most ? least : `${least} to ${most}`} arguments are expected besides options. ${seeUsage}`
  )
}
