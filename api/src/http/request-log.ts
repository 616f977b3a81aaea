import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { loggedUrl } from '@nextscale/platform/observe'

/** Names every answer with its request id, and logs a line per request when the level is debug. */
export const requestLog = fastifyPlugin(
  (app: FastifyInstance, _options, done) => {
    app.addHook('onRequest', (request, reply, next) => {
      reply.header('x-request-id', request.id)
      next()
    })
    if (app.log.level === 'debug' || app.log.level === 'trace') {
      app.addHook('onResponse', (request, reply, next) => {
        const { id, method, url } = request
        app.log.debug(
          { request_id: id, method, url: loggedUrl(url), status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
          'request'
        )
        next()
      })
    }
    done()
  },
  { name: 'request-log' }
)
