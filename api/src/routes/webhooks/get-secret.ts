import { getWebhookSecret } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { callerOf } from '../../http/caller.ts'
import { addOperation } from '../../http/operation.ts'
import type { Services } from '../../services.ts'
import { presentSecret } from '../../webhooks/present-secret.ts'

/** GET /webhooks/secret */
export const getWebhookSecretRoute = (app: FastifyInstance, { webhookSecrets }: Services): void =>
  addOperation(app, getWebhookSecret, async (request, reply) => {
    reply.header('cache-control', 'no-store')
    return presentSecret(await webhookSecrets.read(callerOf(request).owner))
  })
