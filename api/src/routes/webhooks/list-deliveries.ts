import { listWebhookDeliveries } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { callerOf } from '../../http/caller.ts'
import { addOperation } from '../../http/operation.ts'
import type { Services } from '../../services.ts'
import { toDeliveries } from '../../webhooks/delivery-resource.ts'
import { listDeliveries } from '../../webhooks/list-deliveries.ts'

const DEFAULT_LIMIT = 20

/** GET /webhook-deliveries */
export const listWebhookDeliveriesRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, listWebhookDeliveries, async (request) => {
    const { owner } = callerOf(request)
    const page = await listDeliveries(services, owner, { ...request.query, limit: request.query.limit ?? DEFAULT_LIMIT })
    return { data: await toDeliveries(services, owner, page.found), next_cursor: page.nextCursor }
  })
