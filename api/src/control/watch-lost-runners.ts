import type { RedisKeys } from '@nextscale/openapi'
import { connectWorker, type RedisPlace, type StallWatch, watchStalls } from '@nextscale/platform'
import type { FastifyBaseLogger } from 'fastify'
import type { PoolQueues } from '../pools/queues.ts'
import type { WorkerEnd } from '../redis/close-worker.ts'
import { repeat } from './repeat.ts'

interface WatchContext {
  place: RedisPlace
  keys: RedisKeys
  queues: Pick<PoolQueues, 'of' | 'names'>
  lockDurationMs: number
  stalledIntervalMs: number
  log: FastifyBaseLogger
}

export interface LostRunnersWatch {
  stop(): Promise<WorkerEnd>
}

/** Puts generations whose runner is lost back into the queue of its pool, also while no runner is left to do so. */
export const watchLostRunners = (context: WatchContext): LostRunnersWatch => {
  const { place, queues, lockDurationMs, stalledIntervalMs: intervalMs, log } = context
  const connection = connectWorker(place, log)
  const watches = new Map<string, StallWatch>()
  const stopping = new AbortController()
  const watchPool = (pool: string): StallWatch =>
    watchStalls({
      redis: connection,
      toKey: (type) => queues.of(pool).toKey(type),
      lockDurationMs,
      intervalMs,
      onStalled: (generations) => log.warn({ pool, generations }, 'generations lost their runner and wait again'),
      onError: (error) => log.warn({ err: error, pool }, 'lost runners could not be looked for; it is tried again')
    })
  // A pool that comes up is watched before its first runner can have been lost for long.
  const watching = repeat({
    everyMs: intervalMs,
    signal: stopping.signal,
    work: async () => {
      const names = await queues.names()
      for (const pool of names) if (!watches.has(pool)) watches.set(pool, watchPool(pool))
      for (const [pool, watch] of watches) {
        if (names.includes(pool)) continue
        watch.stop()
        watches.delete(pool)
      }
    },
    onError: (error) => log.debug({ err: error }, 'the pools could not be looked up')
  })
  return {
    stop: async () => {
      stopping.abort()
      await watching
      for (const watch of watches.values()) watch.stop()
      connection.disconnect()
      return 'stopped' as const
    }
  }
}
