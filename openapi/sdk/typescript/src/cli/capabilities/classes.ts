import { type Command, COMMON_USAGE, parse, UsageError } from '../command.ts'

const usage = `nextscale classes [QUERY] [--model ID]
  Lists the classes of a model whose names contain QUERY.
${COMMON_USAGE}`

export const classes: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, { model: { type: 'string' } }, { usage, positionals: [0, 1] })
    const { client, out, signal } = open(values)
    const model = values.model ?? (await client.models.list({ signal })).find((listed) => listed.default)?.id
    if (model === undefined) throw new UsageError('The server serves no model yet: start a runner, or name a model with --model.')
    const [query] = positionals
    const found = await client.models.classes(model, query, { signal })
    if (values.json) return out.sayJson(found)
    for (const { label, name } of found) out.say(`${String(label).padStart(4)}  ${name}`)
    if (found.length === 0) out.note(query === undefined ? 'no classes' : `No class of ${model} has "${query}" in its name.`)
  }
}
