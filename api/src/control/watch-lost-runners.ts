import { generateImageJob, type RedisKeys } from '@nextscale/openapi'
import { watchStalls } from '@nextscale/platform'
import type { FastifyBaseLogger } from 'fastify'
import type { WorkerEnd } from '../redis/close-worker.ts'
import { connectWorker } from '@nextscale/platform'

interface WatchContext {
  redisUrl: string
  keys: RedisKeys
  lockDurationMs: number
  stalledIntervalMs: number
  log: FastifyBaseLogger
}

export interface LostRunnersWatch {
  stop(): Promise<WorkerEnd>
}

/** Puts generations whose runner is lost back into the queue, also while no runner is left to do so. */
export const watchLostRunners = (context: WatchContext): LostRunnersWatch => {
  const { redisUrl, keys, lockDurationMs, stalledIntervalMs: intervalMs, log } = context
  const connection = connectWorker(redisUrl, log)
  const watch = watchStalls({
    redis: connection,
    toKey: (type) => keys.job(generateImageJob.queue, type),
    lockDurationMs,
    intervalMs,
    onStalled: (generations) => log.warn({ generations }, 'generations lost their runner and wait again'),
    onError: (error) => log.warn({ err: error }, 'lost runners could not be looked for; it is tried again')
  })
  const stop = () => {
    watch.stop()
    connection.disconnect()
    return Promise.resolve('stopped' as const)
  }
  return { stop }
}
