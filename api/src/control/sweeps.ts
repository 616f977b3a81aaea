import type { RedisKeys } from '@nextscale/openapi'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import type { PoolQueues } from '../pools/queues.ts'
import type { RemoveMarked } from '../generations/remove-marked.ts'
import type { GenerationReader } from '../generations/reader.ts'
import type { ObjectStore } from '@nextscale/platform/object-store'
import { retirePools } from './retire-pools.ts'
import { createLapsedSweep } from './sweep-lapsed.ts'
import { createOrphanSweep } from './sweep-orphans.ts'
import { createUnreleasedSweep } from './sweep-unreleased.ts'
import { sweepExpired } from './sweep.ts'

interface SweepsContext {
  redis: Redis
  queues: Pick<PoolQueues, 'of' | 'names'>
  removeMarked: RemoveMarked
  keys: RedisKeys
  reader: GenerationReader
  store: ObjectStore
  /** After how long what could not be removed is looked at again. */
  againMs: number
  orphanAgeSeconds: number
  orphanIntervalMs: number
  /** Ends a pass early. */
  signal: AbortSignal
  log: FastifyBaseLogger
}

/** One pass over everything that time alone brings about. What fails is logged and tried again with the next pass. */
export const createSweeps = (context: SweepsContext): (() => Promise<void>) => {
  const { log, signal } = context
  const onError = (id: string, error: unknown) =>
    log.warn({ err: error, generation: id }, 'What an expired generation left could not be removed; it is tried again')
  const sweepLapsed = createLapsedSweep(context)
  const sweepUnreleased = createUnreleasedSweep(context)
  const sweepOrphans = createOrphanSweep(context)
  const passes = [
    () => sweepExpired({ ...context, onError }),
    sweepLapsed,
    sweepUnreleased,
    sweepOrphans,
    () => retirePools(context)
  ]
  return async () => {
    for (const pass of passes) {
      if (signal.aborted) return
      await pass().catch((error: unknown) => log.warn({ err: error }, 'A sweep was not finished; the next goes on'))
    }
  }
}
