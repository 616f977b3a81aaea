import { listModelClasses } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { addOperation } from '../../http/operation.ts'
import { requireCard } from '../../models/registry.ts'
import type { Services } from '../../services.ts'

const DEFAULT_LIMIT = 100

/** GET /models/{id}/classes */
export const listModelClassesRoute = (app: FastifyInstance, { models }: Services): void =>
  addOperation(app, listModelClasses, async (request) => {
    const { classes } = await requireCard(models, request.params.id)
    const { q = '', limit = DEFAULT_LIMIT, offset = 0 } = request.query
    const wanted = q.trim().toLowerCase()
    const matching = classes.flatMap((name, label) => (name.toLowerCase().includes(wanted) ? { label, name } : []))
    return { data: matching.slice(offset, offset + limit), total: matching.length }
  })
