/** `nextscale models`: puts VAR models into folders that a runner can serve, shows and checks them. */
import { ModelError } from '../errors.ts'
import { type Command, CommandError } from './command.ts'

const VERBS: Readonly<Record<string, () => Promise<Command>>> = {
  add: async () => (await import('./add.ts')).add,
  list: async () => (await import('./list.ts')).list,
  check: async () => (await import('./check.ts')).check,
  random: async () => (await import('./random.ts')).random,
  bench: async () => (await import('./bench.ts')).bench
}

const INTERRUPTED = 130

const say = (line: string) => void process.stdout.write(`${line}\n`)

const readUsage = async (): Promise<string> => {
  const commands = await Promise.all(Object.values(VERBS).map((load) => load()))
  return commands.map(({ usage }) => usage).join('\n\n')
}

const run = async ([verb, ...args]: string[], signal: AbortSignal): Promise<void> => {
  if (verb === undefined || verb === '--help' || verb === '-h' || verb === 'help') return say(await readUsage())
  const load = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined
  if (!load) throw new CommandError(`There is no "models ${verb}": the verbs are ${Object.keys(VERBS).join(', ')}.`)
  const command = await load()
  if (args.includes('--help') || args.includes('-h')) return say(command.usage)
  await command.run(args, { say, signal })
}

const stop = new AbortController()
// Ctrl-C may come twice, from the terminal and from the launcher: what is unfinished must be removed all the same.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
try {
  await run(process.argv.slice(2), stop.signal)
} catch (error) {
  const isForeseen = error instanceof CommandError || error instanceof ModelError
  const reason = isForeseen ? error.message : error instanceof Error ? error.stack : String(error)
  process.stderr.write(`nextscale models: ${stop.signal.aborted ? 'stopped before it was done.' : reason}\n`)
  process.exitCode = stop.signal.aborted ? INTERRUPTED : 1
}
