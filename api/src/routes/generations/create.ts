import { createGeneration, imageFormat } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { createAndAnswer } from '../../generations/answer-created.ts'
import { resolveInput } from '../../generations/resolve-input.ts'
import { resolveWebhook } from '../../generations/resolve-webhook.ts'
import type { ImageFormat } from '../../http/accept.ts'
import { callerOf } from '../../http/caller.ts'
import { addOperation } from '../../http/operation.ts'
import { requireCards } from '../../models/registry.ts'
import type { Services } from '../../services.ts'

/** POST /generate */
export const createGenerationRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, createGeneration, async (request, reply) => {
    const { body } = request
    const withFormat = (format: ImageFormat | undefined) =>
      format === undefined ? body : { ...body, output: { ...body.output, format } }
    return createAndAnswer(services, request, reply, callerOf(request), {
      format: imageFormat(body.output?.format),
      asked: (format = 'png') => ({ operation: 'createGeneration', body: withFormat(format) }),
      resolve: async (format) => ({
        input: resolveInput(withFormat(format), await requireCards(services.models)),
        metadata: body.metadata ?? {},
        label: body.label ?? null,
        webhook: await resolveWebhook(services, request, body.webhook)
      })
    })
  })
