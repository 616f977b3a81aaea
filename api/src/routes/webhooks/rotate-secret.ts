import { rotateWebhookSecret } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { callerOf } from '../../http/caller.ts'
import { addOperation } from '../../http/operation.ts'
import type { Services } from '../../services.ts'
import { presentSecret } from '../../webhooks/present-secret.ts'

/** POST /webhooks/secret/rotate */
export const rotateWebhookSecretRoute = (app: FastifyInstance, { webhookSecrets }: Services): void =>
  addOperation(app, rotateWebhookSecret, async (request, reply) => {
    const { owner } = callerOf(request)
    const secret = await webhookSecrets.rotate(owner)
    request.log.info({ request_id: request.id, owner }, 'webhook secret rotated')
    reply.header('cache-control', 'no-store')
    return presentSecret(secret)
  })
