import { type Command, COMMON_USAGE, parse } from '../command.ts'
import { watchDelivery } from './watch.ts'

const usage = `nextscale webhooks redeliver ID
  Sends a webhook again, now, and shows what the receiver answers.
${COMMON_USAGE}`

export const redeliver: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, {}, { usage, positionals: [1, 1] })
    const context = open(values)
    const id = positionals[0] ?? ''
    const { attempts } = await context.client.webhooks.delivery(id, { signal: context.signal })
    await context.client.webhooks.redeliver(id, { signal: context.signal })
    await watchDelivery(context, { id, known: attempts.length, json: values.json === true })
  }
}
