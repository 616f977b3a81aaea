import type { GenerateRequest } from '../generated/contract.ts'
import { type Command, COMMON_USAGE, parse, readNumber } from './command.ts'
import { make } from './make.ts'
import { readFormat } from './save-outputs.ts'

const usage = `nextscale generate [CLASS] [-o FILE] [options]
  Makes pictures of a class, by name or label, and saves them; without -o their links are printed.
  -o, --output FILE     several become FILE-0, FILE-1, …
  --model ID  --num-images N  --seed N  --cfg N  --top-k N  --top-p N  --format png|webp|jpeg
  --draft K             stop after scale K; nextscale continue takes it further
  --watch               show progress, and previews where the terminal can
${COMMON_USAGE}`

const OPTIONS = {
  output: { type: 'string', short: 'o' },
  model: { type: 'string' },
  seed: { type: 'string' },
  cfg: { type: 'string' },
  'top-k': { type: 'string' },
  'top-p': { type: 'string' },
  'num-images': { type: 'string' },
  format: { type: 'string' },
  draft: { type: 'string' },
  watch: { type: 'boolean' }
} as const

/** A class by its label or its name. */
const classOf = (text: string | undefined): Pick<GenerateRequest, 'class_label' | 'class_name'> => {
  if (text === undefined) return {}
  return /^\d+$/.test(text) ? { class_label: Number(text) } : { class_name: text }
}

/** Drops what was not said, so that the server's defaults hold. */
const said = <T extends object>(values: { [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T

export const generate: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, OPTIONS, { usage, positionals: [0, 1] })
    const format = readFormat(values.format, values.output)
    const settings = said<GenerateRequest>({
      ...classOf(positionals[0]),
      model: values.model,
      seed: readNumber('seed', values.seed),
      cfg: readNumber('cfg', values.cfg),
      top_k: readNumber('top-k', values['top-k']),
      top_p: readNumber('top-p', values['top-p']),
      num_images: readNumber('num-images', values['num-images']),
      stop_at_scale: readNumber('draft', values.draft),
      output: format && { format }
    })
    const context = open(values)
    const watch = values.watch ?? false
    const request: GenerateRequest = watch && context.terminal.canShowImages ? { ...settings, previews: 'auto' } : settings
    const ask = (signal: AbortSignal) => context.client.generate(request, { signal })
    await make(context, { path: values.output, watch, json: values.json ?? false, ask })
  }
}
