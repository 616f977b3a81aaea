import { ConfigError } from '@nextscale/platform/config'
import { type Command, CommandError, WrongCommandLine } from './command.ts'
import { endWithReader, print, printError } from '@nextscale/platform/terminal'

/** Exit code, as shells have it. */
const WRONG_COMMAND_LINE = 2

const isHelp = (text: string) => ['--help', '-h', 'help'].includes(text)

interface Program<Context> {
  name: string
  verbs: Readonly<Record<string, Command<Context>>>
  /** Opens what the verbs work with, has them work, and closes it. */
  open: (work: (context: Context) => Promise<string>) => Promise<string>
}

const carryOut = async <Context>(
  { name, verbs, open }: Program<Context>,
  [verb = 'help', ...args]: string[]
): Promise<string> => {
  if (isHelp(verb))
    return Object.values(verbs)
      .map(({ usage }) => usage)
      .join('\n\n')
  const command = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
  if (!command) throw new WrongCommandLine(`There is no "${name} ${verb}": the verbs are ${Object.keys(verbs).join(', ')}.`)
  return args.some(isHelp) ? command.usage : open(command.prepare(args))
}

/** Runs a verb of `nextscale <name>`, as the arguments of the process say, and prints what it returns or why it could not. */
export const runCommand = async <Context>(program: Program<Context>): Promise<void> => {
  endWithReader()
  try {
    const text = await carryOut(program, process.argv.slice(2))
    if (text !== '') print(text)
  } catch (error) {
    const isForeseen = error instanceof CommandError || error instanceof ConfigError
    const reason = isForeseen ? error.message : error instanceof Error ? error.stack : String(error)
    printError(`nextscale ${program.name}: ${reason}`)
    process.exitCode = error instanceof WrongCommandLine ? WRONG_COMMAND_LINE : 1
  }
}
