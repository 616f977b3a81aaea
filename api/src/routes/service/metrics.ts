import { getMetrics } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { addOperation } from '../../http/operation.ts'
import type { Services } from '../../services.ts'

/** GET /metrics */
export const metricsRoute = (app: FastifyInstance, { metrics }: Services): void =>
  addOperation(app, getMetrics, async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.render())
  )
