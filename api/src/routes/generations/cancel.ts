import { cancelGeneration } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { cancel } from '../../generations/cancel.ts'
import { toGeneration } from '../../generations/resource.ts'
import { callerOf } from '../../http/caller.ts'
import { addOperation } from '../../http/operation.ts'
import { baseUrl } from '../../http/urls.ts'
import type { Services } from '../../services.ts'

/** POST /generations/{id}/cancel */
export const cancelGenerationRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, cancelGeneration, async (request) => {
    const { snapshot, standing } = await cancel(services, callerOf(request).owner, request.params.id)
    request.log.info({ request_id: request.id, generation: snapshot.id, status: standing.status }, 'cancel')
    return toGeneration(snapshot, standing, { ...services, base: baseUrl(services.config, request) })
  })
