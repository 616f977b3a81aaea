import { createKey, type KeyContext } from '../create.ts'
import { type Command, parse } from '../../cli/command.ts'
import { NEW_KEY_OPTIONS, readNewKey } from './new-key-options.ts'

const usage = `nextscale keys create --name NAME --scopes SCOPES [--requests-per-minute N] [--in-flight N] [--streams N] [--expires-days N]
  Makes an API key and prints it, once: only its digest is stored. SCOPES are some of generate, read, webhooks, admin,
  separated by commas. Limits: requests a minute, unfinished generations, open streams and waits; none unless given.`

export const create: Command<KeyContext> = {
  usage,
  prepare: (args) => {
    const wanted = readNewKey(parse(args, NEW_KEY_OPTIONS, usage).values)
    return async (context) => (await createKey(context, wanted)).token
  }
}
