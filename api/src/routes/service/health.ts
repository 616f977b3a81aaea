import { getHealth } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { addOperation } from '../../http/operation.ts'

/** GET /healthz: asks nobody, so that a probe never restarts a sound process because Redis is down. */
export const healthRoute = (app: FastifyInstance): void => addOperation(app, getHealth, async () => ({ status: 'ok' as const }))
