import { type Command, COMMON_USAGE, parse } from '../command.ts'
import { watchDelivery } from './watch.ts'

const usage = `nextscale webhooks test URL
  Sends a test event and shows what the receiver answers.
${COMMON_USAGE}`

export const probe: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, {}, { usage, positionals: [1, 1] })
    const context = open(values)
    const { id } = await context.client.webhooks.test(positionals[0] ?? '', { signal: context.signal })
    await watchDelivery(context, { id, known: 0, json: values.json === true })
  }
}
