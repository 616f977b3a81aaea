import Type from 'typebox'
import { headersNamed } from '../headers.ts'
import { defineOperation } from '../operation.ts'
import { DeliveryId, GenerationId } from '../schemas/primitives.ts'
import { WebhookDelivery, WebhookDeliveryList, WebhookKeySet, WebhookSecret } from '../schemas/webhook-delivery.ts'
import { DeliveryStatusSchema, WebhookTestRequest } from '../schemas/webhook.ts'

const params = Type.Object({ id: DeliveryId }, { additionalProperties: false })

export const listWebhookDeliveries = defineOperation({
  operationId: 'listWebhookDeliveries',
  method: 'GET',
  path: '/webhook-deliveries',
  tag: 'webhooks',
  scope: 'webhooks',
  summary: 'List webhook deliveries, newest first',
  description: 'Deliveries are kept for 30 days after they were delivered or given up.',
  query: Type.Object(
    {
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
      cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: '`next_cursor` of the page before.' })),
      generation_id: Type.Optional(GenerationId),
      status: Type.Optional(DeliveryStatusSchema)
    },
    { additionalProperties: false }
  ),
  responses: { 200: { description: 'A page.', schema: WebhookDeliveryList } },
  problems: ['invalid_cursor', 'queue_unavailable']
})

export const getWebhookDelivery = defineOperation({
  operationId: 'getWebhookDelivery',
  method: 'GET',
  path: '/webhook-deliveries/{id}',
  tag: 'webhooks',
  scope: 'webhooks',
  summary: 'Read a webhook delivery and its attempts',
  params,
  responses: { 200: { description: 'The delivery.', schema: WebhookDelivery } },
  problems: ['delivery_not_found', 'queue_unavailable']
})

export const redeliverWebhook = defineOperation({
  operationId: 'redeliverWebhook',
  method: 'POST',
  path: '/webhook-deliveries/{id}/redeliver',
  tag: 'webhooks',
  scope: 'webhooks',
  summary: 'Send a webhook again, now',
  description:
    'With the same `webhook-id`, fresh links and all attempts before it. One that waits to be tried again is tried at once; one that is due or under way stays as it is.',
  params,
  responses: {
    202: { description: 'The delivery after the request.', schema: WebhookDelivery, headers: headersNamed('Location') }
  },
  problems: ['delivery_not_found', 'delivery_not_due', 'queue_unavailable']
})

export const testWebhook = defineOperation({
  operationId: 'testWebhook',
  method: 'POST',
  path: '/webhooks/test',
  tag: 'webhooks',
  scope: 'webhooks',
  summary: 'Send a test event',
  description: 'Signed and delivered like any other; read the delivery at `Location` for what the receiver answered.',
  body: WebhookTestRequest,
  responses: { 202: { description: 'The delivery.', schema: WebhookDelivery, headers: headersNamed('Location') } },
  problems: ['webhook_url_refused', 'queue_unavailable', 'queue_full']
})

export const getWebhookSecret = defineOperation({
  operationId: 'getWebhookSecret',
  method: 'GET',
  path: '/webhooks/secret',
  tag: 'webhooks',
  scope: 'webhooks',
  summary: 'Read the secret that signs webhooks',
  description: 'It is drawn the first time it is needed.',
  responses: { 200: { description: 'The secret of the API key that asks.', schema: WebhookSecret } },
  problems: ['queue_unavailable']
})

export const rotateWebhookSecret = defineOperation({
  operationId: 'rotateWebhookSecret',
  method: 'POST',
  path: '/webhooks/secret/rotate',
  tag: 'webhooks',
  scope: 'webhooks',
  summary: 'Replace the secret that signs webhooks',
  description:
    'From the answer on, which takes about a second, requests carry a signature of both for a day, so receivers can change over without losing one. Rotating again within that day ends the oldest.',
  responses: { 200: { description: 'The new secret.', schema: WebhookSecret } },
  problems: ['queue_unavailable']
})

export const getWebhookKeys = defineOperation({
  operationId: 'getWebhookKeys',
  method: 'GET',
  path: '/webhooks/keys',
  tag: 'webhooks',
  scope: null,
  summary: 'Public keys of Ed25519 signatures',
  description: 'A JSON Web Key Set: with it anyone can verify that a webhook came from this service, without a secret.',
  responses: { 200: { description: 'The keys.', schema: WebhookKeySet } },
  problems: []
})
