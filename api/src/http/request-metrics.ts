import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { Metrics } from '../metrics/metrics.ts'

/** Counts every answer by operation and status. Paths are no label: each id would be a series of its own. */
export const requestMetrics = fastifyPlugin(
  (app: FastifyInstance, { metrics }: { metrics: Metrics }, done) => {
    app.addHook('onResponse', (request, reply, next) => {
      const operation = request.routeOptions.config.operation?.operationId ?? 'none'
      metrics.request(operation, reply.statusCode, reply.elapsedTime / 1000)
      next()
    })
    done()
  },
  { name: 'request-metrics' }
)
