import { getGeneration } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { createOutlook, retryAfterSeconds } from '../../generations/estimate.ts'
import { etagOf, matchesEtag } from '../../generations/etag.ts'
import { find, type Found } from '../../generations/find.ts'
import { waitInRequest } from '../../generations/wait-in-request.ts'
import { toGeneration } from '../../generations/resource.ts'
import { isTerminal } from '../../generations/settle.ts'
import { callerOf } from '../../http/caller.ts'
import { addOperation } from '../../http/operation.ts'
import { baseUrl } from '../../http/urls.ts'
import type { Services } from '../../services.ts'

/** GET /generations/{id} */
export const getGenerationRoute = (app: FastifyInstance, services: Services): void =>
  addOperation(app, getGeneration, async (request, reply) => {
    const { config, reader, runners, store, streams, streamTokens } = services
    const { id } = request.params
    const known = request.headers['if-none-match']
    const isKnown = (found: Found) => matchesEtag(known, etagOf(found))
    const isEnough = (found: Found) => known !== undefined && !isKnown(found)
    const caller = callerOf(request)
    const timeoutMs = Math.min(request.query.wait ?? 0, config.maxWaitSeconds) * 1000
    const wait = async () => {
      const leave = await streams.enter(caller)
      return waitInRequest(services, reply, { id, owner: caller.owner, timeoutMs, isEnough }).finally(leave)
    }
    const found = timeoutMs === 0 ? await find(reader, caller.owner, id) : await wait()
    reply.header('etag', etagOf(found))
    if (!isTerminal(found.standing)) reply.header('retry-after', String(retryAfterSeconds(runners, found)))
    if (isKnown(found)) return reply.code(304).send()
    const context = { store, streamTokens, base: baseUrl(config, request), outlook: createOutlook(runners) }
    return toGeneration(found.snapshot, found.standing, context)
  })
