import { cancelGeneration } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { cancel } from '../../generations/cancel.ts'
import { toGeneration } from '../../generations/resource.ts'
import { addOperation } from '../../http/operation.ts'
import { baseUrl } from '../../http/urls.ts'
import { OWNER } from '../../owner.ts'
import type { Services } from '../../services.ts'

/** POST /generations/{id}/cancel */
export const cancelGenerationRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, cancelGeneration, async (request) => {
    const { snapshot, standing } = await cancel(services, OWNER, request.params.id)
    return toGeneration(snapshot, standing, { ...services, base: baseUrl(services.config, request) })
  })
