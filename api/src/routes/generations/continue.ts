import { continueGeneration, imageFormat } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { readAsked } from '../../generations/create/asked.ts'
import { create } from '../../generations/create/create.ts'
import { resolveContinuation } from '../../generations/create/resolve-continuation.ts'
import { resolveWebhook } from '../../generations/create/resolve-webhook.ts'
import { find } from '../../generations/find.ts'
import type { ImageFormat } from '../../http/accept.ts'
import { callerOf } from '../../http/caller.ts'
import { addOperation } from '../../http/operation.ts'
import { requireCards } from '../../models/registry.ts'
import type { Services } from '../../services.ts'

/** POST /generations/{id}/continue */
export const continueGenerationRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, continueGeneration, async (request, reply) => {
    const { body, params } = request
    const named = imageFormat(body.output?.format)
    const asked = readAsked(request.headers, named, services.config.maxWaitSeconds)
    // What is left out is the parent's.
    const withFormat = (format: ImageFormat | undefined) =>
      format === undefined ? body : { ...body, output: { ...body.output, format } }
    return create(services, request, reply, {
      asked,
      meaning: { operation: 'continueGeneration', parent: params.id, body: withFormat(named) },
      resolve: async () => {
        const parent = await find(services.reader, callerOf(request).owner, params.id)
        return {
          input: resolveContinuation(parent, withFormat(asked.format), {
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
