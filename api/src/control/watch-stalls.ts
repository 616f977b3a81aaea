import { generateImageJob, type RedisKeys } from '@nextscale/openapi'
import { Worker } from 'bullmq'
import type { FastifyBaseLogger } from 'fastify'
import { closeWorker, type WorkerEnd } from '../redis/close-worker.ts'
import { connectWorker } from '../redis/connection.ts'

/** What closing may take, with Redis there. */
const STOP_MS = 3000

interface StallContext {
  redisUrl: string
  keys: RedisKeys
  stalledIntervalMs: number
  log: FastifyBaseLogger
}

export interface StallWatch {
  stop(): Promise<WorkerEnd>
}

/**
 * Puts generations whose runner is lost back into the queue, also while no runner is left to do so. A worker without a
 * processor takes no jobs; it only looks for those whose lock has run out.
 */
export const watchStalls = async ({ redisUrl, keys, stalledIntervalMs, log }: StallContext): Promise<StallWatch> => {
  const connection = connectWorker(redisUrl, log)
  const worker = new Worker(generateImageJob.queue, null, {
    connection,
    prefix: keys.bullmq,
    stalledInterval: stalledIntervalMs,
    maxStalledCount: generateImageJob.maxStalledCount,
    skipVersionCheck: true
  })
  worker.on('error', (error) => log.warn({ err: error }, 'lost runners could not be looked for; it is tried again'))
  worker.on('stalled', (id) => log.warn({ generation: id }, 'a generation lost its runner and waits again'))
  await worker.startStalledCheckTimer()
  return { stop: () => closeWorker({ worker, connection, graceMs: STOP_MS }) }
}
