import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { RequestTrace, Tracing } from '../tracing/request-trace.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Absent unless traces are made of the request. */
    trace?: RequestTrace | undefined
  }
}

/** Makes a span of every request but those about the service itself: probes would fill the store. */
export const requestSpans = fastifyPlugin(
  (app: FastifyInstance, { tracing }: { tracing: Tracing }, done) => {
    app.decorateRequest('trace', undefined)
    app.addHook('onRequest', (request, reply, next) => {
      const { operation } = request.routeOptions.config
      if (!operation || operation.tag === 'service') return next()
      const { id, method, url, headers } = request
      const trace = tracing.begin(operation, { id, method, path: url.split('?', 1)[0] ?? '', headers })
      request.trace = trace
      // Also comes when the client goes away before its answer, which `onResponse` does not.
      reply.raw.once('close', () => trace.end({ status: reply.statusCode, isAborted: !reply.raw.writableFinished }))
      next()
    })
    app.addHook('onClose', () => tracing.close())
    done()
  },
  { name: 'request-spans' }
)
