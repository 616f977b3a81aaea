import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'

/** On every answer: nothing here is to be taken for a script, and links with signatures and tokens are told to nobody. */
export const COMMON_HEADERS = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' } as const

export const commonHeaders = fastifyPlugin(
  (app: FastifyInstance, _options, done) => {
    app.addHook('onRequest', (_request, reply, next) => {
      reply.headers(COMMON_HEADERS)
      next()
    })
    done()
  },
  { name: 'common-headers' }
)
