import type { FastifyInstance } from 'fastify'
import { capabilityRoutes } from '../capabilities/routes.ts'
import type { Services } from '../services.ts'
import { cancelGenerationRoute } from './generations/cancel.ts'
import { continueGenerationRoute } from './generations/continue.ts'
import { createGenerationRoute } from './generations/create.ts'
import { deleteGenerationRoute } from './generations/delete.ts'
import { getGenerationEventsRoute } from './generations/events.ts'
import { getGenerationRoute } from './generations/get.ts'
import { listGenerationsRoute } from './generations/list.ts'
import { getModelRoute } from './models/get.ts'
import { listModelsRoute } from './models/list.ts'
import { getObjectRoute } from './objects/get.ts'
import { healthRoute } from './service/health.ts'
import { metricsRoute } from './service/metrics.ts'
import { readinessRoute } from './service/readiness.ts'
import { statusRoute } from './service/status.ts'
import { getWebhookDeliveryRoute } from './webhooks/get-delivery.ts'
import { getWebhookKeysRoute } from './webhooks/get-keys.ts'
import { getWebhookSecretRoute } from './webhooks/get-secret.ts'
import { listWebhookDeliveriesRoute } from './webhooks/list-deliveries.ts'
import { redeliverWebhookRoute } from './webhooks/redeliver.ts'
import { rotateWebhookSecretRoute } from './webhooks/rotate-secret.ts'
import { testWebhookRoute } from './webhooks/send-test.ts'

/** Every operation of the contract. */
export const routes = async (app: FastifyInstance, { services }: { services: Services }): Promise<void> => {
  createGenerationRoute(app, services)
  getGenerationRoute(app, services)
  getGenerationEventsRoute(app, services)
  listGenerationsRoute(app, services)
  continueGenerationRoute(app, services)
  cancelGenerationRoute(app, services)
  deleteGenerationRoute(app, services)
  listModelsRoute(app, services)
  getModelRoute(app, services)
  capabilityRoutes(app, services)
  listWebhookDeliveriesRoute(app, services)
  getWebhookDeliveryRoute(app, services)
  redeliverWebhookRoute(app, services)
  testWebhookRoute(app, services)
  getWebhookSecretRoute(app, services)
  rotateWebhookSecretRoute(app, services)
  getWebhookKeysRoute(app, services)
  getObjectRoute(app, services)
  statusRoute(app, services)
  healthRoute(app)
  readinessRoute(app, services)
  metricsRoute(app, services)
}
