import { listGenerations } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { createOutlook } from '../../generations/estimate.ts'
import { list } from '../../generations/list.ts'
import { toGeneration } from '../../generations/resource.ts'
import { callerOf } from '../../http/caller.ts'
import { addOperation } from '../../http/operation.ts'
import { baseUrl } from '../../http/urls.ts'
import type { Services } from '../../services.ts'

const DEFAULT_LIMIT = 20

/** GET /generations */
export const listGenerationsRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, listGenerations, async (request) => {
    const { config, runners } = services
    const context = { ...services, base: baseUrl(config, request), outlook: createOutlook(runners) }
    const page = await list(services, callerOf(request).owner, { ...request.query, limit: request.query.limit ?? DEFAULT_LIMIT })
    const data = await Promise.all(page.found.map(({ snapshot, standing }) => toGeneration(snapshot, standing, context)))
    return { data, next_cursor: page.nextCursor }
  })
