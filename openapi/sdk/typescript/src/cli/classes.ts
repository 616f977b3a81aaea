import { type Command, COMMON_USAGE, parse, UsageError } from './command.ts'

const usage = `nextscale classes [QUERY] [--model ID]
  Lists the classes of a model whose names contain QUERY.
${COMMON_USAGE}`

export const classes: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, { model: { type: 'string' } }, { usage, positionals: [0, 1] })
    const { client, say, note, signal } = open(values)
    const model = values.model ?? (await client.models.list({ signal })).find((listed) => listed.default)?.id
    if (model === undefined) throw new UsageError('The server serves no model yet: start a runner, or name a model with --model.')
    const [query] = positionals
    const found = await client.models.classes(model, query, { signal })
    if (values.json) return say(JSON.stringify(found, null, 2))
    for (const { label, name } of found) say(`${String(label).padStart(4)}  ${name}`)
    if (found.length === 0) note(`No class of ${model} has "${query ?? ''}" in its name.`)
  }
}
