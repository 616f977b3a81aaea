import { getReadiness } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { addOperation } from '../../http/operation.ts'
import { requireCards } from '../../models/registry.ts'
import { onRedis } from '../../redis/errors.ts'
import type { Services } from '../../services.ts'

/** GET /readyz */
export const readinessRoute = (app: FastifyInstance, { redis, models }: Services): void =>
  addOperation(app, getReadiness, async () => {
    // Asked at the same time, so that a Redis that hangs costs one timeout and not two.
    await Promise.all([onRedis(() => redis.ping()), requireCards(models)])
    return { status: 'ok' as const }
  })
