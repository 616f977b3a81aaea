import { testWebhook } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { requireWebhookUrl } from '../../generations/create/resolve-webhook.ts'
import { callerOf } from '../../http/caller.ts'
import { addOperation } from '../../http/operation.ts'
import { baseUrl, deliveryUrl } from '../../http/urls.ts'
import type { Services } from '../../services.ts'
import { createAddTestDelivery } from '../../webhooks/add-test-delivery.ts'
import { toOneDelivery } from '../../webhooks/delivery-resource.ts'
import { findDelivery } from '../../webhooks/find-delivery.ts'

/** POST /webhooks/test */
export const testWebhookRoute = (app: FastifyInstance, services: Services): void => {
  const add = createAddTestDelivery(services)
  addOperation(app, testWebhook, async (request, reply) => {
    const { owner } = callerOf(request)
    const { url } = request.body
    await requireWebhookUrl(services, url, '/url')
    await services.deliveryDepth.admit(url.length, services.deliveryQueue.name)
    const base = baseUrl(services.config, request)
    const id = await add({ owner, url, base })
    request.log.info({ request_id: request.id, delivery: id }, 'test webhook')
    reply.header('location', deliveryUrl(base, id))
    return toOneDelivery(services, owner, await findDelivery(services.deliveries, owner, id))
  })
}
