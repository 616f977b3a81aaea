import { continueGeneration, imageFormat } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { createAndAnswer } from '../../generations/answer-created.ts'
import { find } from '../../generations/find.ts'
import { resolveContinuation } from '../../generations/resolve-continuation.ts'
import { resolveWebhook } from '../../generations/resolve-webhook.ts'
import type { ImageFormat } from '../../http/accept.ts'
import { callerOf } from '../../http/caller.ts'
import { addOperation } from '../../http/operation.ts'
import { requireCards } from '../../models/registry.ts'
import type { Services } from '../../services.ts'

/** POST /generations/{id}/continue */
export const continueGenerationRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, continueGeneration, async (request, reply) => {
    const { body, params } = request
    const caller = callerOf(request)
    const named = imageFormat(body.output?.format)
    const withFormat = (format: ImageFormat | undefined) =>
      format === undefined ? body : { ...body, output: { ...body.output, format } }
    return createAndAnswer(services, request, reply, caller, {
      format: named,
      asked: () => ({ operation: 'continueGeneration', parent: params.id, body: withFormat(named) }),
      resolve: async (format) => {
        const parent = await find(services.reader, caller.owner, params.id)
        return {
          input: resolveContinuation(parent, withFormat(format), {
            cards: await requireCards(services.models),
            runners: await services.runners.cards()
          }),
          metadata: body.metadata ?? {},
          label: body.label ?? null,
          webhook: await resolveWebhook(services, request, body.webhook),
          parent: { id: params.id, keep_scales: body.keep_scales ?? null }
        }
      }
    })
  })
