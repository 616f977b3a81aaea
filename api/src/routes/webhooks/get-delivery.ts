import { getWebhookDelivery } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { callerOf } from '../../http/caller.ts'
import { addOperation } from '../../http/operation.ts'
import type { Services } from '../../services.ts'
import { toOneDelivery } from '../../webhooks/delivery-resource.ts'
import { findDelivery } from '../../webhooks/find-delivery.ts'

/** GET /webhook-deliveries/{id} */
export const getWebhookDeliveryRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, getWebhookDelivery, async (request) => {
    const { owner } = callerOf(request)
    return toOneDelivery(services, owner, await findDelivery(services.deliveries, owner, request.params.id))
  })
