import { type Command, UsageError } from '../command.ts'
import { listDeliveries } from './deliveries.ts'
import { probe } from './probe.ts'
import { redeliver } from './redeliver.ts'
import { secret } from './secret.ts'

const COMMANDS: Readonly<Record<string, Command>> = { test: probe, deliveries: listDeliveries, redeliver, secret }

/** `nextscale webhooks test`, `deliveries`, `redeliver` and `secret`. */
export const webhooks: Command = {
  usage: Object.values(COMMANDS)
    .map(({ usage }) => usage)
    .join('\n\n'),
  run: async ([name = '', ...args], open) => {
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (command) return command.run(args, open)
    throw new UsageError(`There is no "webhooks ${name}": the commands are ${Object.keys(COMMANDS).join(', ')}.`)
  }
}
