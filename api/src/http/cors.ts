import { type Operation, RESPONSE_HEADERS } from '@nextscale/openapi'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { Config } from '../config.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether pages of every origin may read what a route answers. */
    isOpenToPages?: boolean
  }
}

const EXPOSED_HEADERS = [...Object.keys(RESPONSE_HEADERS), 'X-Request-Id'].join(', ')
const MAX_AGE_SECONDS = '600'

/** Who may read what lies at a path: every page; every page whose link has a token; those that the configuration names. */
type Openness = 'all' | 'with-token' | 'named'

const opennessOf = (operation: Operation | undefined, isOpenToPages: boolean | undefined): Openness => {
  // A signature lets in whoever has it, and pages are whom links are made for.
  if (isOpenToPages || operation?.tag === 'objects') return 'all'
  return operation?.takesStreamToken ? 'with-token' : 'named'
}

const hasToken = ({ query }: FastifyRequest) => typeof query === 'object' && query !== null && 'token' in query

const sendPreflight = ({ headers }: FastifyRequest, reply: FastifyReply, isOpen: boolean): FastifyReply =>
  reply
    .code(204)
    .headers({
      'access-control-allow-methods': isOpen ? 'GET, HEAD' : 'GET, HEAD, POST, DELETE',
      // None is harmful from an origin that is let in, and tracing adds some of its own.
      'access-control-allow-headers': headers['access-control-request-headers'] ?? '',
      'access-control-max-age': MAX_AGE_SECONDS
    })
    .send()

/**
 * Tells browsers which pages may read an answer, whatever it is, and answers what they ask before. Has to be registered before
 * the routes and whatever else refuses requests. No answer depends on cookies, so none is ever allowed.
 */
export const cors = fastifyPlugin(
  (app: FastifyInstance, { corsOrigins }: Pick<Config, 'corsOrigins'>, done) => {
    const byPath = new Map<string, Openness>()
    app.addHook('onRoute', ({ url, config }) => {
      if (config?.refusesMethods) return
      const openness = opennessOf(config?.operation, config?.isOpenToPages)
      if (openness !== 'named') byPath.set(url, openness)
    })
    const isOpen = (request: FastifyRequest): boolean => {
      const openness = byPath.get(request.routeOptions.url ?? '')
      return openness === 'all' || (openness === 'with-token' && hasToken(request))
    }
    const allowed = (origin: string | undefined): string | undefined => {
      if (corsOrigins === '*') return '*'
      return origin !== undefined && corsOrigins.includes(origin) ? origin : undefined
    }
    app.addHook('onRequest', (request, reply, next) => {
      const { method, headers } = request
      const isOpenHere = isOpen(request)
      if (!isOpenHere && corsOrigins.length > 0 && corsOrigins !== '*') reply.header('vary', 'Origin')
      const origin = isOpenHere ? '*' : allowed(headers.origin)
      if (origin === undefined) return next()
      reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED_HEADERS })
      const isPreflight = method === 'OPTIONS' && headers.origin !== undefined && 'access-control-request-method' in headers
      if (isPreflight) sendPreflight(request, reply, isOpenHere)
      else next()
    })
    done()
  },
  { name: 'cors' }
)
