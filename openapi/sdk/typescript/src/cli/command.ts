import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import type { Nextscale } from '../client.ts'
import type { Output } from './terminal/output.ts'
import type { Terminal } from './terminal/terminal.ts'

/** A command line that cannot be carried out. The message names the argument and the way out. */
export class UsageError extends Error {
  override name = 'UsageError'
}

export interface Context {
  client: Nextscale
  out: Output
  terminal: Terminal
  /** Aborted when the user wants to stop. */
  signal: AbortSignal
}

/** A word after `nextscale`. */
export interface Command {
  usage: string
  run: (args: string[], open: (options: ServerOptions) => Context) => Promise<void>
  /** The words that may follow. */
  commands?: Readonly<Record<string, Command>>
}

export interface ServerOptions {
  url?: string | undefined
  'api-key'?: string | undefined
}

/** Says which words there are in place of one that there is not. */
export const missingCommand = (
  before: string,
  name: string | undefined,
  commands: Readonly<Record<string, Command>>
): UsageError => {
  const words = `the commands are ${Object.keys(commands).join(', ')}.`
  if (name === undefined) return new UsageError(`Say what to do after ${before}: ${words}`)
  return new UsageError(`There is no "${before === '' ? '' : `${before} `}${name}": ${words}`)
}

/** Options of every command. */
export const COMMON = { url: { type: 'string' }, 'api-key': { type: 'string' }, json: { type: 'boolean' } } as const
export const COMMON_USAGE = `  --json                the answer of the server, as it is
  --url URL             default NEXTSCALE_URL, the server that npm start runs here, or http://localhost:8080
  --api-key KEY         default NEXTSCALE_API_KEY or, for a server on this machine, the key that npm start keeps`

const firstSentence = (message: string) => message.replace(/\.\s[^]*$|\.$/, '').replaceAll('\n', ' ')

/** Node's words about an option, in ours where they are not about it. */
const describeFault = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error)
  const [, name] = /'(?:-\w, )?(--[\w-]+)(?: <value>)?' argument (?:missing|is ambiguous)/.exec(message) ?? []
  return name === undefined ? firstSentence(message) : `${name} needs a value`
}

/** A negative number is the value of the option before it: Node would take it for an option. */
const joinNegatives = (args: readonly string[], options: ParseArgsOptionsConfig): string[] => {
  const joined: string[] = []
  for (const [index, arg] of args.entries()) {
    const before = args[index - 1] ?? ''
    const takesValue = before.startsWith('--') && options[before.slice(2)]?.type === 'string'
    if (takesValue && /^-[\d.]/.test(arg)) joined.splice(-1, 1, `${before}=${arg}`)
    else joined.push(arg)
  }
  return joined
}

const describeCount = (count: number, most: number): string =>
  count > most
    ? `There ${count === 1 ? 'is 1 argument' : `are ${count} arguments`} besides options, and ${most === 0 ? 'none' : most} can be taken${most === 0 ? '' : ': put quotes around one that has spaces'}`
    : 'An argument is missing'

/**
 * Options and positional arguments.
 * @throws UsageError for an option there is none of, and for too few or too many arguments.
 */
export const parse = <const T extends ParseArgsOptionsConfig>(
  args: string[],
  options: T,
  { usage, positionals: [least, most] }: { usage: string; positionals: readonly [number, number] }
) => {
  const seeUsage = `Usage: ${usage.split('\n', 1)[0]}`
  const all = { ...COMMON, ...options }
  const read = () => {
    try {
      return parseArgs({ args: joinNegatives(args, all), options: all, allowPositionals: true, strict: true })
    } catch (error) {
      throw new UsageError(`${describeFault(error)}. ${seeUsage}`)
    }
  }
  const parsed = read()
  const { length } = parsed.positionals
  if (parsed.positionals.includes('')) throw new UsageError(`An argument is empty. ${seeUsage}`)
  if (length < least || length > most) throw new UsageError(`${describeCount(length, most)}. ${seeUsage}`)
  return parsed
}

/** The number an option holds; whether it is in range is for the server to say. */
export const readNumber = (name: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  if (text.trim() === '' || !Number.isFinite(Number(text))) throw new UsageError(`--${name} is "${text}"; give a number.`)
  return Number(text)
}

/** Drops what was not said, so that the server's defaults hold. */
export const said = <T extends object>(values: { [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T
