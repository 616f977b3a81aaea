import type { KeyContext } from '../create.ts'
import { revokeKey } from '../revoke.ts'
import { type Command, CommandError, parse } from '../../cli/command.ts'

const usage = `nextscale keys revoke ID
  Takes an API key away; servers refuse it within a second.`

export const revoke: Command<KeyContext> = {
  usage,
  prepare: (args) => {
    const [id = ''] = parse(args, {}, usage, 1).positionals
    return async (context) => {
      if ((await revokeKey(context, id)) === 'revoked') return `${id} is revoked.`
      // A whole key may have been given in place of its id, and is not to be repeated.
      throw new CommandError('There is no API key with this id. `nextscale keys list` shows those there are.')
    }
  }
}
