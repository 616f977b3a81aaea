import type { ContinueRequest } from '../generated/contract.ts'
import { type Command, COMMON_USAGE, parse, readNumber } from './command.ts'
import { make } from './make.ts'
import { readFormat } from './save-outputs.ts'

const usage = `nextscale continue ID [-o FILE] [--keep-scales N [--seed N]] [--format png|webp|jpeg] [--watch]
  Takes a draft to full size; with --keep-scales keeps the first N scales and draws the rest anew.
${COMMON_USAGE}`

const OPTIONS = {
  output: { type: 'string', short: 'o' },
  'keep-scales': { type: 'string' },
  seed: { type: 'string' },
  format: { type: 'string' },
  watch: { type: 'boolean' }
} as const

export const continueGeneration: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, OPTIONS, { usage, positionals: [1, 1] })
    const [id = ''] = positionals
    const keepScales = readNumber('keep-scales', values['keep-scales'])
    const seed = readNumber('seed', values.seed)
    const format = readFormat(values.format, values.output)
    const context = open(values)
    const watch = values.watch ?? false
    const request: ContinueRequest = {
      // A draft's own end would hold for what continues it.
      ...(keepScales === undefined ? { stop_at_scale: null } : { keep_scales: keepScales }),
      ...(seed !== undefined && { seed }),
      ...(format && { output: { format } }),
      ...(watch && context.terminal.canShowImages && { previews: 'auto' as const })
    }
    const ask = (signal: AbortSignal) => context.client.continue(id, request, { signal })
    await make(context, { path: values.output, watch, json: values.json ?? false, ask })
  }
}
