import type { Model } from '../generated/contract.ts'
import { type Command, COMMON_USAGE, parse } from './command.ts'

const usage = `nextscale models
  Lists the models that the server serves, the default first: family, sizes of pictures, what each takes.
${COMMON_USAGE}`

const describeModel = ({ id, family, sizes, capabilities }: Model): string =>
  [id, family, sizes.map(({ width, height }) => `${width}x${height}`).join(', '), capabilities.join(', ')].join('  ')

export const models: Command = {
  usage,
  run: async (args, open) => {
    const { values } = parse(args, {}, { usage, positionals: [0, 0] })
    const { client, out, signal } = open(values)
    const found = await client.models.list({ signal })
    if (values.json) return out.sayJson(found)
    for (const model of found) out.say(describeModel(model))
    if (found.length === 0) out.note('no models: start a runner')
  }
}
