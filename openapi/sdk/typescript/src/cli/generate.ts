import type { GenerateRequest } from '../generated/contract.ts'
import { type Command, COMMON_USAGE, parse, readNumber, said, UsageError } from './command.ts'
import { make } from './make.ts'
import { readSchedule } from './read-schedule.ts'
import { readRequest, REQUEST_OPTIONS, REQUEST_USAGE } from './request-options.ts'

const usage = `nextscale generate [CLASS] [-o FILE] [options]
  Makes pictures of a class, by name or label, or of none in particular, and saves them.
  --model ID  --num-images N  --cfg N  --top-k N  --top-p N  --smooth
  --schedule cfg|top-k|top-p|class=V,V,… …           a value for each scale; of a class none as well
${REQUEST_USAGE}
${COMMON_USAGE}`

const OPTIONS = {
  ...REQUEST_OPTIONS,
  model: { type: 'string' },
  cfg: { type: 'string' },
  'top-k': { type: 'string' },
  'top-p': { type: 'string' },
  smooth: { type: 'boolean' },
  schedule: { type: 'string', multiple: true },
  'num-images': { type: 'string' }
} as const

/** A class by its label or its name. */
const classOf = (words: readonly string[]): Pick<GenerateRequest, 'class_label' | 'class_name'> => {
  const [text] = words
  if (text === undefined) return {}
  if (words.length > 1) throw new UsageError(`Put quotes around the class: nextscale generate "${words.join(' ')}"`)
  return /^\d+$/.test(text) ? { class_label: Number(text) } : { class_name: text }
}

export const generate: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, OPTIONS, { usage, positionals: [0, Infinity] })
    const request: GenerateRequest = {
      ...classOf(positionals),
      ...readRequest(values),
      ...said<GenerateRequest>({
        model: values.model,
        cfg: readNumber('cfg', values.cfg),
        top_k: readNumber('top-k', values['top-k']),
        top_p: readNumber('top-p', values['top-p']),
        num_images: readNumber('num-images', values['num-images']),
        smooth: values.smooth,
        schedule: readSchedule(values.schedule)
      })
    }
    const context = open(values)
    await make(context, {
      ...values,
      count: async () => request.num_images ?? 1,
      ask: (more, options) => context.client.generate({ ...more, ...request }, options)
    })
  }
}
