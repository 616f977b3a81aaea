import { getReadiness } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { addOperation } from '../../http/operation.ts'
import { ProblemError } from '../../http/problem.ts'
import { requireCards } from '../../models/registry.ts'
import { onRedis } from '../../redis/errors.ts'
import type { Services } from '../../services.ts'

/** GET /readyz */
export const readinessRoute = (app: FastifyInstance, { redis, lack, models, stopping }: Services): void =>
  addOperation(app, getReadiness, async () => {
    if (stopping.signal.aborted) throw new ProblemError('shutting_down', 'This server is stopping. Send requests to another one.')
    // Asked at the same time, so that a Redis that hangs costs one timeout and not two.
    await Promise.all([onRedis(() => redis.ping()), requireCards(models)])
    if (lack() !== undefined)
      throw new ProblemError(
        'queue_unavailable',
        'The user of the queue’s Redis lacks rights that are needed. The log of this server names them.'
      )
    return { status: 'ok' as const }
  })
