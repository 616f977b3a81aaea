#!/usr/bin/env node
/** `nextscale generate`, `continue`, `get`, `cancel`, `delete`, `list`, `models`, `classes`, `status` and `webhooks`. */
import { Nextscale } from '../client.ts'
import type { NextscaleError } from '../errors.ts'
import { cancel } from './cancel.ts'
import { classes } from './capabilities/classes.ts'
import { type Command, type Context, missingCommand, type ServerOptions, UsageError } from './command.ts'
import { readConfig } from './config.ts'
import { continueGeneration } from './continue.ts'
import { deleteGeneration } from './delete.ts'
import { explain, explainRetry, INTERRUPTED } from './explain.ts'
import { generate } from './generate.ts'
import { get } from './get.ts'
import { list } from './list.ts'
import { models } from './models.ts'
import { status } from './status.ts'
import { openOutput } from './terminal/output.ts'
import { openTerminal } from './terminal/terminal.ts'
import { readVersion } from './version.ts'
import { webhooks } from './webhooks/webhooks.ts'

const COMMANDS: Readonly<Record<string, Command>> = {
  generate,
  continue: continueGeneration,
  get,
  cancel,
  delete: deleteGeneration,
  list,
  models,
  classes,
  status,
  webhooks
}
/** Someone waits at the terminal: better a word soon than a success late. */
const MAX_RETRIES = 2
/** Ctrl-C comes twice at once where a parent process passes it on; a second press comes later. */
const SECOND_PRESS_MS = 500

const HELP = ['-h', '--help']
const out = openOutput()

const open =
  (signal: AbortSignal) =>
  (options: ServerOptions): Context => {
    const config = readConfig(options)
    const { url, apiKey } = config
    try {
      const onRetry = (error: NextscaleError, delayMs: number) => {
        const line = explainRetry(error, delayMs)
        if (line !== undefined) out.note(`nextscale: ${line}`)
      }
      const client = new Nextscale({ baseUrl: url, apiKey, maxRetries: MAX_RETRIES, onRetry })
      return { client, out, signal, terminal: openTerminal(config) }
    } catch (error) {
      if (error instanceof TypeError && error.message.startsWith('apiKey'))
        throw new UsageError(error.message.replace(/^apiKey \(or (\w+)\)/, '--api-key (or $1)'), { cause: error })
      throw new UsageError(`The server's URL is "${url}"; give a whole one, for example http://localhost:8080.`, { cause: error })
    }
  }

const usageOf = (commands: Readonly<Record<string, Command>>): string =>
  Object.values(commands)
    .map(({ usage }) => usage)
    .join('\n\n')

/** The command that words name, and what follows them. */
const find = (words: string[]): { command: Command; args: string[] } => {
  const [name = '', ...args] = words
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) throw missingCommand('', name, COMMANDS)
  const [next = '', ...rest] = args
  const below = command.commands && Object.hasOwn(command.commands, next) ? command.commands[next] : undefined
  return below ? { command: below, args: rest } : { command, args }
}

const run = async (words: string[], signal: AbortSignal): Promise<void> => {
  const [name = 'help', ...others] = words
  if (name === '--version' || name === '-V') return out.say(`nextscale ${readVersion()}`)
  if (name === 'help' || HELP.includes(name))
    return out.sayText(others.length > 0 ? find(others).command.usage : usageOf(COMMANDS))
  const { command, args } = find(words)
  if (args.some((arg) => HELP.includes(arg))) return out.sayText(command.usage)
  await command.run(args, open(signal))
}

const stop = new AbortController()
let firstAt: number | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (firstAt !== undefined && performance.now() - firstAt > SECOND_PRESS_MS) process.exit(INTERRUPTED)
    firstAt ??= performance.now()
    stop.abort(new Error('Interrupted.'))
  })
}
try {
  await run(process.argv.slice(2), stop.signal)
} catch (error) {
  const { line, exitCode } = explain(error)
  if (!stop.signal.aborted || error !== stop.signal.reason) out.note(`nextscale: ${line}`)
  process.exitCode = stop.signal.aborted ? INTERRUPTED : exitCode
}
