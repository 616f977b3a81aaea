import { listModels } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { addOperation } from '../../http/operation.ts'
import { toModel } from '../../models/registry.ts'
import type { Services } from '../../services.ts'

/** GET /models */
export const listModelsRoute = (app: FastifyInstance, { models }: Services): void =>
  addOperation(app, listModels, async () => ({ data: (await models.cards()).map((card, index) => toModel(card, index === 0)) }))
