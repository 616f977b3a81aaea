import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import type { Nextscale } from '../client.ts'
import type { Terminal } from './terminal.ts'

/** A command line that cannot be carried out. The message names the argument and the way out. */
export class UsageError extends Error {
  override name = 'UsageError'
}

export interface Context {
  client: Nextscale
  /** One line of the result. */
  say: (line: string) => void
  /** One line about how it goes, on standard error. */
  note: (line: string) => void
  terminal: Terminal
  /** Aborted when the user wants to stop. */
  signal: AbortSignal
}

/** A word after `nextscale`. */
export interface Command {
  usage: string
  run: (args: string[], open: (options: ServerOptions) => Context) => Promise<void>
}

export interface ServerOptions {
  url?: string | undefined
  'api-key'?: string | undefined
}

/** Options of every command. */
export const COMMON = { url: { type: 'string' }, 'api-key': { type: 'string' }, json: { type: 'boolean' } } as const
export const COMMON_USAGE = '  --json  --url URL  --api-key KEY'

const firstSentence = (message: string) => message.replace(/\.\s[^]*$|\.$/, '').replaceAll('\n', ' ')

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
  try {
    const parsed = parseArgs({ args, options: { ...COMMON, ...options }, allowPositionals: true, strict: true })
    if (parsed.positionals.length >= least && parsed.positionals.length <= most) return parsed
  } catch (error) {
    throw new UsageError(`${firstSentence(error instanceof Error ? error.message : String(error))}. ${seeUsage}`)
  }
  throw new UsageError(`${least === most ? least : `${least} to ${most}`} arguments are expected besides options. ${seeUsage}`)
}

/** The number an option holds; whether it is in range is for the server to say. */
export const readNumber = (name: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  if (text.trim() === '' || Number.isNaN(Number(text))) throw new UsageError(`--${name} is "${text}"; give a number.`)
  return Number(text)
}
