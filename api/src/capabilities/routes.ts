import type { FastifyInstance } from 'fastify'
import type { Services } from '../services.ts'
import { listModelClassesRoute } from './list-classes.ts'

/** Operations about what only some models have. */
export const capabilityRoutes = (app: FastifyInstance, services: Services): void => {
  listModelClassesRoute(app, services)
}
