import { createGeneration, imageFormat } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { readAsked } from '../../generations/create/asked.ts'
import { create } from '../../generations/create/create.ts'
import { resolveInput } from '../../generations/create/resolve-input.ts'
import { resolveWebhook } from '../../generations/create/resolve-webhook.ts'
import { addOperation } from '../../http/operation.ts'
import { requireCards } from '../../models/registry.ts'
import type { Services } from '../../services.ts'

/** POST /generate */
export const createGenerationRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, createGeneration, async (request, reply) => {
    const asked = readAsked(request.headers, imageFormat(request.body.output?.format), services.config.maxWaitSeconds)
    const body = { ...request.body, output: { ...request.body.output, format: asked.format ?? 'png' } }
    return create(services, request, reply, {
      asked,
      meaning: { operation: 'createGeneration', body },
      resolve: async () => ({
        input: resolveInput(body, await requireCards(services.models)),
        metadata: body.metadata ?? {},
        label: body.label ?? null,
        webhook: await resolveWebhook(services, request, body.webhook)
      })
    })
  })
