import { redeliverWebhook } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { callerOf } from '../../http/caller.ts'
import { addOperation } from '../../http/operation.ts'
import { baseUrl, deliveryUrl } from '../../http/urls.ts'
import type { Services } from '../../services.ts'
import { toOneDelivery } from '../../webhooks/delivery-resource.ts'
import { redeliver } from '../../webhooks/redeliver.ts'

/** POST /webhook-deliveries/{id}/redeliver */
export const redeliverWebhookRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, redeliverWebhook, async (request, reply) => {
    const { owner } = callerOf(request)
    const snapshot = await redeliver(services, owner, request.params.id)
    request.log.info({ request_id: request.id, delivery: snapshot.id }, 'redeliver')
    reply.header('location', deliveryUrl(baseUrl(services.config, request), snapshot.id))
    return toOneDelivery(services, owner, snapshot)
  })
