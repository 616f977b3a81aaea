import { listModels } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { addOperation } from '../../http/operation.ts'
import { presentModel } from '../../models/present.ts'
import type { Services } from '../../services.ts'

/** GET /models */
export const listModelsRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, listModels, async () => {
    const cards = await services.models.cards()
    return { data: await Promise.all(cards.map((card) => presentModel(services, card, cards[0]))) }
  })
