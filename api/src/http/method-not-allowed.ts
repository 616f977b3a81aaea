import type { FastifyInstance, HTTPMethods } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { ProblemError } from './problem.ts'

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY']

/**
 * Answers 405 with `Allow` for every method a known path does not take. Has to be registered before the routes, whose
 * methods it collects, and adds its own once all of them are known.
 */
export const methodNotAllowed = fastifyPlugin(
  (app: FastifyInstance, _options, done) => {
    const methodsByUrl = new Map<string, Set<string>>()
    app.addHook('onRoute', (route) => {
      const methods = methodsByUrl.get(route.url) ?? new Set()
      for (const method of [route.method].flat()) methods.add(method)
      methodsByUrl.set(route.url, methods)
    })
    app.decorate('closeMethods', () => {
      for (const [url, taken] of methodsByUrl) {
        const allow = METHODS.filter((method) => taken.has(method)).join(', ')
        const refuse = async () => {
          throw new ProblemError('method_not_allowed', `This path takes ${allow}. Use one of these methods.`, {
            headers: { allow }
          })
        }
        // Refused before the body is read: a body that does not parse must not hide that the method is wrong.
        const method = METHODS.filter((candidate) => !taken.has(candidate))
        app.route({ method, url, config: { refusesMethods: true }, onRequest: refuse, handler: refuse })
      }
    })
    done()
  },
  { name: 'method-not-allowed', dependencies: ['problems'] }
)

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether a route only answers 405. */
    refusesMethods?: boolean
  }
  interface FastifyInstance {
    /** Adds the 405 routes; called once, after every other route. */
    closeMethods: () => void
  }
}
