import { type Command, missingCommand } from '../command.ts'
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
  commands: COMMANDS,
  run: async ([name]) => {
    throw missingCommand('webhooks', name, COMMANDS)
  }
}
