import { listModelClasses, type ModelCard } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { addOperation } from '../http/operation.ts'
import { ProblemError } from '../http/problem.ts'
import { requireCard } from '../models/registry.ts'
import type { Services } from '../services.ts'
import { labelsContaining } from './class-names.ts'
import { whatItTakes } from './refuse-unsupported.ts'

const DEFAULT_LIMIT = 100

const withoutClasses = (card: ModelCard): ProblemError => {
  const detail = `${card.id} has no classes to choose from; it takes ${whatItTakes(card)}.`
  return new ProblemError('unsupported_for_model', detail, { errors: [{ pointer: '/path/id', detail }] })
}

/** GET /models/{id}/classes */
export const listModelClassesRoute = (app: FastifyInstance, { models }: Services): void =>
  addOperation(app, listModelClasses, async (request) => {
    const card = await requireCard(models, request.params.id)
    if (card.classes === null) throw withoutClasses(card)
    const { q = '', limit = DEFAULT_LIMIT, offset = 0 } = request.query
    const matching = labelsContaining(card, q)
    const data = matching.slice(offset, offset + limit).map((label) => ({ label, name: card.classes?.[label] ?? '' }))
    return { data, total: matching.length }
  })
