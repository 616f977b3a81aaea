import { getWebhookKeys } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { addOperation } from '../../http/operation.ts'
import type { Services } from '../../services.ts'

/** Short, so that receivers soon know of a key that was added. */
const MAX_AGE_SECONDS = 300

/** GET /webhooks/keys */
export const getWebhookKeysRoute = (app: FastifyInstance, { signingKeys }: Services): void =>
  addOperation(app, getWebhookKeys, async (_request, reply) => {
    reply.header('cache-control', `public, max-age=${MAX_AGE_SECONDS}`)
    return { keys: signingKeys.map(({ jwk }) => jwk) }
  })
