import type { WebhookDelivery } from '../../generated/contract.ts'
import type { DeliveryFilters } from '../../webhooks/webhooks.ts'
import { type Command, COMMON_USAGE, parse, readNumber } from '../command.ts'
import { describeDelivery } from './describe.ts'

const LIMIT = 20
const PAGE_SIZE = 100

const usage = `nextscale webhooks deliveries [--limit N] [--status STATUS] [--generation ID]
  Lists deliveries, newest first; ${LIMIT} where no limit is given.
${COMMON_USAGE}`

const OPTIONS = { limit: { type: 'string' }, status: { type: 'string' }, generation: { type: 'string' } } as const

export const listDeliveries: Command = {
  usage,
  run: async (args, open) => {
    const { values } = parse(args, OPTIONS, { usage, positionals: [0, 0] })
    const limit = readNumber('limit', values.limit) ?? LIMIT
    const { client, out, signal } = open(values)
    // Which statuses there are is the server's to say.
    const status = values.status as DeliveryFilters['status']
    const filters: DeliveryFilters = {
      limit: Math.min(Math.max(1, limit), PAGE_SIZE),
      ...(status && { status }),
      ...(values.generation !== undefined && { generation_id: values.generation })
    }
    const found: WebhookDelivery[] = []
    for await (const delivery of client.webhooks.deliveries(filters, { signal })) {
      if (found.length >= limit) break
      found.push(delivery)
      if (!values.json) out.say(describeDelivery(delivery))
      if (found.length >= limit) break
    }
    if (values.json) return out.sayJson(found)
    if (found.length === 0) out.note('no deliveries')
  }
}
