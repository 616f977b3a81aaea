import { type Command, COMMON_USAGE, parse } from './command.ts'

const usage = `nextscale delete ID
  Erases a generation that has ended, with its pictures.
${COMMON_USAGE}`

export const deleteGeneration: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, {}, { usage, positionals: [1, 1] })
    const { client, say, signal } = open(values)
    const [id = ''] = positionals
    await client.delete(id, { signal })
    say(values.json ? JSON.stringify({ id, deleted: true }) : `${id} is deleted.`)
  }
}
