import type { GenerateRequest } from '../generated/contract.ts'
import { CAPABILITY_OPTIONS, CAPABILITY_USAGE, readCapabilities } from './capabilities/options.ts'
import { readWords } from './capabilities/read-words.ts'
import { type Command, COMMON_USAGE, parse, readNumber, said, UsageError } from './command.ts'
import { make } from './make.ts'
import { readRequest, REQUEST_OPTIONS, REQUEST_USAGE } from './request-options.ts'

const usage = `nextscale generate [WORDS] [-o FILE] [options]
  Makes pictures and saves them: of a class, by name or label, or by a prompt, as the model takes the words; of nothing in
  particular without them.
  --model ID  --num-images N
${CAPABILITY_USAGE}
${REQUEST_USAGE}
${COMMON_USAGE}`

const OPTIONS = {
  ...REQUEST_OPTIONS,
  ...CAPABILITY_OPTIONS,
  model: { type: 'string' },
  'num-images': { type: 'string' }
} as const

export const generate: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, OPTIONS, { usage, positionals: [0, Infinity] })
    const request: GenerateRequest = {
      ...readRequest(values),
      ...readCapabilities(values),
      ...said<GenerateRequest>({ model: values.model, num_images: readNumber('num-images', values['num-images']) })
    }
    const again = (['class', 'prompt'] as const).find((option) => positionals.length > 0 && values[option] !== undefined)
    if (again) throw new UsageError(`What to draw is said twice: as words, and by --${again}. Leave one of them out.`)
    const context = open(values)
    const { client, signal } = context
    await make(context, {
      ...values,
      count: async () => request.num_images ?? 1,
      ask: async (more, options) => {
        const subject = await readWords(client, positionals, { model: values.model, signal })
        return client.generate({ ...more, ...subject, ...request }, options)
      }
    })
  }
}
