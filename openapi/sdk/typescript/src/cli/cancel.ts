import { type Command, COMMON_USAGE, parse } from './command.ts'

const usage = `nextscale cancel ID
  Ends a generation: at once while it is queued, at its next scale while it runs.
${COMMON_USAGE}`

export const cancel: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, {}, { usage, positionals: [1, 1] })
    const { client, say, signal } = open(values)
    const generation = await client.cancel(positionals[0] ?? '', { signal })
    say(values.json ? JSON.stringify(generation, null, 2) : `${generation.id} is ${generation.status}.`)
  }
}
