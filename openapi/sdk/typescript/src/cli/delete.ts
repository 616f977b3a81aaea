import { type Command, COMMON_USAGE, parse } from './command.ts'

const usage = `nextscale delete ID
  Erases a generation that has ended, with its pictures.
${COMMON_USAGE}`

export const deleteGeneration: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, {}, { usage, positionals: [1, 1] })
    const { client, out, signal } = open(values)
    const [id = ''] = positionals
    await client.delete(id, { signal })
    if (values.json) return out.sayJson({ id, deleted: true })
    out.say(`${id} is deleted.`)
  }
}
