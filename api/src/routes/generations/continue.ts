import { continueGeneration, type GenerateImagePayload } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { acceptGeneration } from '../../generations/accept.ts'
import { find } from '../../generations/find.ts'
import { resolveContinuation } from '../../generations/resolve-continuation.ts'
import { addOperation } from '../../http/operation.ts'
import { baseUrl } from '../../http/urls.ts'
import { requireCards } from '../../models/registry.ts'
import { OWNER } from '../../owner.ts'
import type { Services } from '../../services.ts'

/** POST /generations/{id}/continue */
export const continueGenerationRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, continueGeneration, async (request, reply) => {
    const { body, params } = request
    const parent = await find(services.reader, OWNER, params.id)
    const payload: GenerateImagePayload = {
      version: 1,
      owner: OWNER,
      input: resolveContinuation(parent, body, await requireCards(services.models)),
      metadata: body.metadata ?? {},
      label: body.label ?? null,
      parent: { id: params.id, keep_scales: body.keep_scales ?? null }
    }
    return acceptGeneration(services, payload, baseUrl(services.config, request), reply)
  })
