import { getModel } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { addOperation } from '../../http/operation.ts'
import { presentModel } from '../../models/present.ts'
import { requireCard } from '../../models/registry.ts'
import type { Services } from '../../services.ts'

/** GET /models/{id} */
export const getModelRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, getModel, async (request) => {
    const card = await requireCard(services.models, request.params.id)
    const [first] = await services.models.cards()
    return presentModel(services, card, first)
  })
