import { listModels } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { toModel } from '../../capabilities/to-model.ts'
import { addOperation } from '../../http/operation.ts'
import type { Services } from '../../services.ts'

/** GET /models */
export const listModelsRoute = (app: FastifyInstance, { models }: Services): void =>
  addOperation(app, listModels, async () => ({ data: (await models.cards()).map((card, index) => toModel(card, index === 0)) }))
