import type { FastifyInstance, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { checked } from './checked.ts'
import { ProblemError } from './problem.ts'

const segmentsOf = (path: string) => path.split('/').filter((segment) => segment !== '')

/** The path spelt as a route is, if its case and slashes are all that is wrong with it. */
const respelt = (path: readonly string[], route: readonly string[]): string | undefined => {
  if (path.length !== route.length || route.length === 0) return undefined
  const isLike = route.every((segment, at) => segment.startsWith(':') || segment.toLowerCase() === path[at]?.toLowerCase())
  if (!isLike) return undefined
  return route.map((segment, at) => `/${segment.startsWith(':') ? path[at] : segment}`).join('')
}

/**
 * Answers what no route takes, before a body is read, with the route that was meant where slashes or capitals are all that
 * is wrong. Has to be registered before the routes.
 */
export const routeNotFound = fastifyPlugin(
  (app: FastifyInstance, _options, done) => {
    const routes = new Map<string, readonly string[]>()
    app.addHook('onRoute', ({ url }) => void routes.set(url, segmentsOf(url)))
    const refuse = (method: string, url: string): never => {
      const path = url.split('?', 1)[0] ?? ''
      const segments = segmentsOf(path)
      const [meant] = [...routes.values()].flatMap((route) => respelt(segments, route) ?? [])
      const mend = meant === undefined || meant === path ? 'GET /openapi.json lists every route.' : `Did you mean ${meant}?`
      throw new ProblemError('route_not_found', `There is no ${method} ${path}. ${mend}`)
    }
    const refuseUnknown = ({ is404, method, url }: FastifyRequest): void => {
      if (is404) refuse(method, url)
    }
    app.addHook('onRequest', checked(refuseUnknown))
    // Of routes that find out for themselves that there is nothing.
    app.setNotFoundHandler(({ method, url }) => refuse(method, url))
    done()
  },
  { name: 'route-not-found', dependencies: ['problems'] }
)
