import { getGenerationEvents } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { ProblemError } from './problem.ts'

/** Refuses event streams where answers are only handed on whole, which a stream never is before it is over. */
export const noStreams = fastifyPlugin(
  (app: FastifyInstance, { maxWaitSeconds }: { maxWaitSeconds: number }, done) => {
    app.addHook('onRequest', (request, _reply, next) => {
      if (request.routeOptions.config.operation?.operationId !== getGenerationEvents.operationId) return next()
      const poll = `GET /v1/generations/{id}?wait=${maxWaitSeconds}`
      next(new ProblemError('not_acceptable', `This deployment cannot stream events. Poll \`${poll}\` instead.`))
    })
    done()
  },
  { name: 'no-streams', dependencies: ['problems'] }
)
