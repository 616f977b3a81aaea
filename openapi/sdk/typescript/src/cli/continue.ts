import type { ContinueRequest } from '../generated/contract.ts'
import { type Command, COMMON_USAGE, parse, readNumber } from './command.ts'
import { make } from './make.ts'
import { readRequest, REQUEST_OPTIONS, REQUEST_USAGE } from './request-options.ts'

const usage = `nextscale continue ID [-o FILE] [options]
  Takes a draft to full size, or varies a generation.
  --keep-scales N                                    varies it: keeps the first N scales and draws the rest anew, by --seed
${REQUEST_USAGE}
${COMMON_USAGE}`

const OPTIONS = { ...REQUEST_OPTIONS, 'keep-scales': { type: 'string' } } as const

export const continueGeneration: Command = {
  usage,
  run: async (args, open) => {
    const { values, positionals } = parse(args, OPTIONS, { usage, positionals: [1, 1] })
    const [id = ''] = positionals
    const keepScales = readNumber('keep-scales', values['keep-scales'])
    const request: ContinueRequest = {
      // A draft's own end would hold for what continues it.
      ...(keepScales === undefined ? { stop_at_scale: null } : { keep_scales: keepScales }),
      ...readRequest(values)
    }
    const context = open(values)
    const { client, signal } = context
    await make(context, {
      ...values,
      count: async () => (await client.get(id, { signal })).input.num_images,
      ask: (more, options) => client.continue(id, { ...more, ...request }, options)
    })
  }
}
