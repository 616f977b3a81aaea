import { Job, type Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import { delayedUntil } from '../redis/delayed-until.ts'

const PAGE_SIZE = 100

interface PromoteContext {
  redis: Redis
  queue: Queue
}

/**
 * Puts generations into the queue whose pause before another attempt is over: workers do so when they take jobs, which
 * nobody does while no runner is up. Says how many there were.
 */
export const promoteDue = async ({ redis, queue }: PromoteContext, now = Date.now()): Promise<number> => {
  const ids = await onRedis(() => redis.zrangebyscore(queue.toKey('delayed'), 0, delayedUntil(now), 'LIMIT', 0, PAGE_SIZE))
  let promoted = 0
  for (const id of ids) {
    const job = await onRedis(() => Job.fromId(queue, id))
    // Another process was quicker, or a runner.
    const isMine = await onRedis(async () => job?.promote().then(() => true)).catch(() => false)
    if (isMine) promoted += 1
  }
  return promoted
}
