import { deleteGeneration } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { erase } from '../../generations/erase.ts'
import { callerOf } from '../../http/caller.ts'
import { addOperation } from '../../http/operation.ts'
import type { Services } from '../../services.ts'

/** DELETE /generations/{id} */
export const deleteGenerationRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, deleteGeneration, async (request) => {
    const caller = callerOf(request)
    await erase(services, caller.owner, request.params.id)
    await services.inFlight.release(caller, request.params.id)
    request.log.info({ request_id: request.id, generation: request.params.id }, 'deleted')
    return undefined
  })
