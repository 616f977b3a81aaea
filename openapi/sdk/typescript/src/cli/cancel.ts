import { type Command, COMMON_USAGE, parse } from './command.ts'

const usage = `nextscale cancel ID
  Ends a generation: at once while it is queued, at its next scale while it runs.
${COMMON_USAGE}`

export const cancel: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, {}, { usage, positionals: [1, 1] })
    const { client, out, signal } = open(values)
    const generation = await client.cancel(positionals[0] ?? '', { signal })
    if (values.json) return out.sayJson(generation)
    out.say(`${generation.id} is ${generation.status}.`)
  }
}
