#!/usr/bin/env node
/** `nextscale generate`, `continue`, `get`, `cancel`, `delete`, `list`, `classes` and `webhooks`. */
import { Nextscale } from '../client.ts'
import type { NextscaleError } from '../errors.ts'
import { cancel } from './cancel.ts'
import { classes } from './classes.ts'
import { type Command, type Context, type ServerOptions, UsageError } from './command.ts'
import { readConfig } from './config.ts'
import { continueGeneration } from './continue.ts'
import { deleteGeneration } from './delete.ts'
import { explain, explainRetry, INTERRUPTED } from './explain.ts'
import { generate } from './generate.ts'
import { get } from './get.ts'
import { list } from './list.ts'
import { openTerminal } from './terminal.ts'
import { webhooks } from './webhooks/webhooks.ts'

const COMMANDS: Readonly<Record<string, Command>> = {
  generate,
  continue: continueGeneration,
  get,
  cancel,
  delete: deleteGeneration,
  list,
  classes,
  webhooks
}
/** Someone waits at the terminal: better a word soon than a success late. */
const MAX_RETRIES = 2
/** Ctrl-C comes twice at once where a parent process passes it on; a second press comes later. */
const SECOND_PRESS_MS = 500

const HELP = ['-h', '--help', 'help']
const say = (line: string) => void process.stdout.write(`${line}\n`)
const note = (line: string) => void process.stderr.write(`${line}\n`)

const open =
  (signal: AbortSignal) =>
  (options: ServerOptions): Context => {
    const { url, apiKey, imageProtocol } = readConfig(options)
    try {
      const onRetry = (error: NextscaleError, delayMs: number) => {
        const line = explainRetry(error, delayMs)
        if (line !== undefined) note(`nextscale: ${line}`)
      }
      const client = new Nextscale({ baseUrl: url, apiKey, maxRetries: MAX_RETRIES, onRetry })
      return { client, say, note, signal, terminal: openTerminal(process.stderr, imageProtocol) }
    } catch (error) {
      throw new UsageError(`The server's URL is "${url}"; give a whole one, for example http://localhost:8080.`, { cause: error })
    }
  }

const run = async ([name, ...args]: string[], signal: AbortSignal): Promise<void> => {
  if (name === undefined || HELP.includes(name)) {
    return say(
      Object.values(COMMANDS)
        .map(({ usage }) => usage)
        .join('\n\n')
    )
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) throw new UsageError(`There is no "${name}": the commands are ${Object.keys(COMMANDS).join(', ')}.`)
  if (args.some((arg) => arg === '-h' || arg === '--help')) return say(command.usage)
  await command.run(args, open(signal))
}

const stop = new AbortController()
let firstAt: number | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
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
  if (!stop.signal.aborted || error !== stop.signal.reason) note(`nextscale: ${line}`)
  process.exitCode = stop.signal.aborted ? INTERRUPTED : exitCode
}
