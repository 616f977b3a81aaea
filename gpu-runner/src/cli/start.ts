/** `nextscale models`: puts models into folders that a runner can serve, and into buckets, shows and checks them. */
import { constants } from 'node:os'
import { ConfigError } from '@nextscale/platform/config'
import { ModelError } from '../errors.ts'
import { FAMILY_VERBS } from '../families/verbs.ts'
import { plainLine } from '../plain-line.ts'
import { type Command, CommandError, type Context, WrongCommandLine } from './command.ts'
import { endWithReader, print, printError } from '@nextscale/platform/terminal'

/** Those for models of any family, and those that a family has of its own. */
const VERBS: Readonly<Record<string, () => Promise<Command>>> = {
  list: async () => (await import('./list.ts')).list,
  check: async () => (await import('./check.ts')).check,
  push: async () => (await import('./push.ts')).push,
  ...FAMILY_VERBS
}

const FATAL = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const say = (...lines: string[]): void => {
  for (const line of lines) print(plainLine(line))
}

/** Says that a signal asked for the end. */
class Stopped extends Error {
  readonly exitCode: number

  constructor(signal: NodeJS.Signals) {
    super('stopped before it was done.')
    this.exitCode = 128 + constants.signals[signal]
  }
}

const stoppable: Context['stoppable'] = async (work) => {
  const stop = new AbortController()
  // Ctrl-C may come twice, from the terminal and from the launcher: what is unfinished must be removed all the same.
  const abort = (signal: NodeJS.Signals) => stop.abort(new Stopped(signal))
  for (const signal of FATAL) process.on(signal, abort)
  try {
    const done = await work(stop.signal)
    stop.signal.throwIfAborted()
    return done
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error
  } finally {
    for (const signal of FATAL) process.off(signal, abort)
  }
}

const readUsage = async (): Promise<string> => {
  const commands = await Promise.all(Object.values(VERBS).map((load) => load()))
  return commands.map(({ usage }) => usage).join('\n\n')
}

const run = async ([verb, ...args]: string[]): Promise<void> => {
  if (verb === undefined || verb === '--help' || verb === '-h' || verb === 'help') return say(...(await readUsage()).split('\n'))
  const load = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined
  if (!load) throw new WrongCommandLine(`There is no "models ${verb}": the verbs are ${Object.keys(VERBS).join(', ')}.`)
  const command = await load()
  if (args.includes('--help') || args.includes('-h')) return say(...command.usage.split('\n'))
  await command.run(args, { say, stoppable })
}

/** What there is to say of an error: what is unforeseen keeps its stack. */
const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return plainLine(String(error))
  const isForeseen = [CommandError, ConfigError, ModelError, Stopped].some((kind) => error instanceof kind)
  return isForeseen ? error.message : (error.stack ?? error.message).split('\n').map(plainLine).join('\n')
}

/** Exit code, as shells have it. */
const WRONG_COMMAND_LINE = 2

const exitCodeOf = (error: unknown): number => {
  if (error instanceof Stopped) return error.exitCode
  return error instanceof WrongCommandLine ? WRONG_COMMAND_LINE : 1
}

endWithReader()
try {
  await run(process.argv.slice(2))
} catch (error) {
  printError(`nextscale models: ${describe(error)}`)
  process.exitCode = exitCodeOf(error)
}
