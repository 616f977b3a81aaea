import { getModel } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { toModel } from '../../capabilities/to-model.ts'
import { addOperation } from '../../http/operation.ts'
import { requireCard } from '../../models/registry.ts'
import type { Services } from '../../services.ts'

/** GET /models/{id} */
export const getModelRoute = (app: FastifyInstance, { models }: Services): void =>
  addOperation(app, getModel, async (request) => {
    const card = await requireCard(models, request.params.id)
    const [first] = await models.cards()
    return toModel(card, card.id === first?.id)
  })
