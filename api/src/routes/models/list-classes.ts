import { listModelClasses } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { addOperation } from '../../http/operation.ts'
import { labelsContaining } from '../../models/class-names.ts'
import { requireCard } from '../../models/registry.ts'
import type { Services } from '../../services.ts'

const DEFAULT_LIMIT = 100

/** GET /models/{id}/classes */
export const listModelClassesRoute = (app: FastifyInstance, { models }: Services): void =>
  addOperation(app, listModelClasses, async (request) => {
    const card = await requireCard(models, request.params.id)
    const { q = '', limit = DEFAULT_LIMIT, offset = 0 } = request.query
    const matching = labelsContaining(card, q)
    const data = matching.slice(offset, offset + limit).map((label) => ({ label, name: card.classes[label] ?? '' }))
    return { data, total: matching.length }
  })
