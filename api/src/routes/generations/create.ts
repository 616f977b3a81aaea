import { createGeneration, type GenerateImagePayload, type GenerateRequest } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { acceptGeneration } from '../../generations/accept.ts'
import { resolveInput } from '../../generations/resolve-input.ts'
import { addOperation } from '../../http/operation.ts'
import { baseUrl } from '../../http/urls.ts'
import { requireCards } from '../../models/registry.ts'
import { OWNER } from '../../owner.ts'
import type { Services } from '../../services.ts'

const toPayload = (body: GenerateRequest, input: GenerateImagePayload['input']): GenerateImagePayload => ({
  version: 1,
  owner: OWNER,
  input,
  metadata: body.metadata ?? {},
  label: body.label ?? null
})

/** POST /generate */
export const createGenerationRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, createGeneration, async (request, reply) => {
    const input = resolveInput(request.body, await requireCards(services.models))
    return acceptGeneration(services, toPayload(request.body, input), baseUrl(services.config, request), reply)
  })
