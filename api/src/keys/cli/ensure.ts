import { resolve } from 'node:path'
import type { KeyContext } from '../create.ts'
import { ensureKey } from '../ensure.ts'
import { type Command, WrongCommandLine, parse } from '../../cli/command.ts'
import { NEW_KEY_OPTIONS, readNewKey } from './new-key-options.ts'

const usage = `nextscale keys ensure --file FILE --name NAME --scopes SCOPES [--unless-others] [limits as for create]
  Keeps a valid key in FILE and prints it: the one that is there, or a new one. With --unless-others it makes, and prints,
  none when there are other keys.`

export const ensure: Command<KeyContext> = {
  usage,
  prepare: (args) => {
    const options = { ...NEW_KEY_OPTIONS, file: { type: 'string' }, 'unless-others': { type: 'boolean' } } as const
    const { file, 'unless-others': unlessOthers = false, ...values } = parse(args, options, usage).values
    if (file === undefined) throw new WrongCommandLine('--file is missing: name the file that holds the key.')
    const wanted = readNewKey(values)
    return async (context) => {
      const outcome = await ensureKey(context, { file: resolve(file), wanted, unlessOthers })
      return outcome.kind === 'others' ? '' : outcome.token
    }
  }
}
