import { deleteGeneration } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { erase } from '../../generations/erase.ts'
import { addOperation } from '../../http/operation.ts'
import { OWNER } from '../../owner.ts'
import type { Services } from '../../services.ts'

/** DELETE /generations/{id} */
export const deleteGenerationRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, deleteGeneration, async (request) => {
    await erase(services, OWNER, request.params.id)
    request.log.info({ request_id: request.id, generation: request.params.id }, 'deleted')
    return undefined
  })
