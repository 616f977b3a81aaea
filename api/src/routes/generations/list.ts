import { listGenerations } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { list } from '../../generations/list.ts'
import { toGeneration } from '../../generations/resource.ts'
import { addOperation } from '../../http/operation.ts'
import { baseUrl } from '../../http/urls.ts'
import { OWNER } from '../../owner.ts'
import type { Services } from '../../services.ts'

const DEFAULT_LIMIT = 20

/** GET /generations */
export const listGenerationsRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, listGenerations, async (request) => {
    const context = { ...services, base: baseUrl(services.config, request) }
    const page = await list(services, OWNER, { ...request.query, limit: request.query.limit ?? DEFAULT_LIMIT })
    const data = await Promise.all(page.found.map(({ snapshot, standing }) => toGeneration(snapshot, standing, context)))
    return { data, next_cursor: page.nextCursor }
  })
