import type { Generation } from '../generated/contract.ts'
import type { ListFilters } from '../generations/list.ts'
import { type Command, COMMON_USAGE, parse, readNumber, UsageError } from './command.ts'
import { describe } from './describe.ts'

const LIMIT = 20
const PAGE_SIZE = 100

const usage = `nextscale list [--limit N] [--status STATUS] [--model ID] [--label TEXT]
  Lists generations, newest first; ${LIMIT} where no limit is given.
${COMMON_USAGE}`

const OPTIONS = {
  limit: { type: 'string' },
  status: { type: 'string' },
  model: { type: 'string' },
  label: { type: 'string' }
} as const

export const list: Command = {
  usage,
  run: async (args, open) => {
    const { values } = parse(args, OPTIONS, { usage, positionals: [0, 0] })
    const limit = readNumber('limit', values.limit) ?? LIMIT
    if (!Number.isInteger(limit) || limit < 1) throw new UsageError(`--limit is "${values.limit}"; give a whole number from 1.`)
    const { client, out, signal } = open(values)
    // Which statuses there are is the server's to say.
    const status = values.status as ListFilters['status']
    const { model, label } = values
    const filters: ListFilters = {
      limit: Math.min(limit, PAGE_SIZE),
      ...(status && { status }),
      ...(model !== undefined && { model }),
      ...(label !== undefined && { label })
    }
    const found: Generation[] = []
    for await (const generation of client.list(filters, { signal })) {
      if (found.length >= limit) break
      found.push(generation)
      if (!values.json) out.say(describe(generation))
      if (found.length >= limit) break
    }
    if (values.json) return out.sayJson(found)
    if (found.length === 0) out.note('no generations')
  }
}
