import type { Generation } from '../generated/contract.ts'
import { type Command, COMMON_USAGE, parse, UsageError } from './command.ts'
import { describe } from './describe.ts'
import { checkFormat, STDOUT } from './picture-file.ts'
import { checkTarget, saveOutputs, type Target } from './save-outputs.ts'
import type { Output } from './terminal/output.ts'

const usage = `nextscale get ID [-o FILE]
  Shows a generation and the links of its pictures.
  -o, --output FILE     saves them; several become FILE-0, FILE-1, …; - is standard output
${COMMON_USAGE}`

const OPTIONS = { output: { type: 'string', short: 'o' } } as const

/** @throws UsageError where there is nothing to save, or no place for it. */
const checkPictures = async (out: Output, { id, status, outputs }: Generation, target: Target): Promise<void> => {
  const [first] = outputs
  if (!first) throw new UsageError(`${id} has no pictures to save: it is ${status}.`)
  if (target.path !== STDOUT) checkFormat(target.path, first.content_type)
  await checkTarget(out, target, outputs.length)
}

export const get: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, OPTIONS, { usage, positionals: [1, 1] })
    const context = open(values)
    const { client, out, signal } = context
    const generation = await client.get(positionals[0] ?? '', { signal })
    const { output: path, json = false } = values
    if (path !== undefined) {
      await checkPictures(out, generation, { path, json })
      await saveOutputs(context, generation, { path, json })
    }
    if (json) return out.sayJson(generation)
    if (path !== undefined) return
    out.say(describe(generation))
    if (generation.error) out.say(`${generation.error.code}: ${generation.error.message}`)
    for (const { url } of generation.outputs) out.say(url)
  }
}
