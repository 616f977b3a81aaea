import { type Command, COMMON_USAGE, parse } from './command.ts'
import { describe } from './describe.ts'

const usage = `nextscale get ID
  Shows a generation and the links of its pictures.
${COMMON_USAGE}`

export const get: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, {}, { usage, positionals: [1, 1] })
    const { client, say, signal } = open(values)
    const generation = await client.get(positionals[0] ?? '', { signal })
    if (values.json) return say(JSON.stringify(generation, null, 2))
    say(describe(generation))
    if (generation.error) say(`${generation.error.code}: ${generation.error.message}`)
    for (const { url } of generation.outputs) say(url)
  }
}
