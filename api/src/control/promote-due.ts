import { Job, type Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { PoolQueues } from '../pools/queues.ts'
import { onRedis } from '../redis/errors.ts'
import { delayedUntil } from '../redis/delayed-until.ts'

const PAGE_SIZE = 100

interface PromoteContext {
  redis: Redis
  queues: Pick<PoolQueues, 'of' | 'names'>
  /** Ends it early. */
  signal: AbortSignal
}

const promote = async (queue: Queue, id: string): Promise<boolean> => {
  const job = await onRedis(() => Job.fromId(queue, id))
  // Another process was quicker, or a runner.
  return onRedis(async () => job?.promote().then(() => true) ?? false).catch(() => false)
}

const promotePool = async ({ redis, queues, signal }: PromoteContext, pool: string, now: number): Promise<void> => {
  const queue = queues.of(pool)
  while (!signal.aborted) {
    const ids = await onRedis(() => redis.zrangebyscore(queue.toKey('delayed'), 0, delayedUntil(now), 'LIMIT', 0, PAGE_SIZE))
    const promoted = await Promise.all(ids.map((id) => promote(queue, id)))
    // A page of which nothing could be moved would only come again.
    if (ids.length < PAGE_SIZE || !promoted.includes(true)) return
  }
}

/**
 * Puts generations into their queue whose pause before another attempt is over, by their priority as before: workers do so
 * when they take jobs, which nobody does while no runner is up. Any number of processes may do so at once.
 */
export const promoteDue = async (context: PromoteContext, now = Date.now()): Promise<void> => {
  for (const pool of await context.queues.names()) await promotePool(context, pool, now)
}
