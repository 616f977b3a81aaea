import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'bullmq'
import type { Redis } from 'ioredis'

/** How it went. `abandoned`: Redis is away, so what is under way cannot be recorded, and connections may still be open. */
export type WorkerEnd = 'stopped' | 'abandoned'

/** What a worker has for it while Redis is away, of which it would wait for ever. */
const AWAY_MS = 1000

interface CloseOptions {
  worker: Worker
  connection: Redis
  /** What jobs that are under way may take. */
  graceMs: number
}

/** Takes no more jobs, lets those under way end, and closes the connections. */
export const closeWorker = async ({ worker, connection, graceMs }: CloseOptions): Promise<WorkerEnd> => {
  const over = new AbortController()
  const deadline = sleep(connection.status === 'ready' ? graceMs : AWAY_MS, undefined, { signal: over.signal }).then(
    () => 'abandoned' as const,
    () => 'stopped' as const
  )
  const outcome = await Promise.race([worker.close().then(() => 'stopped' as const), deadline])
  over.abort()
  connection.disconnect()
  return outcome
}
