import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { ProblemError } from '../http/problem.ts'

const FRESH_MS = 1000

export interface QueueDepth {
  /** Throws a problem when the queue is full. The count it goes by is about a second old, and looked up aside. */
  admit(): void
}

/** Keeps an eye on the number of waiting jobs, at no cost to the requests that ask. */
export const createQueueDepth = (redis: Redis, queue: Queue, limit: number, now = Date.now): QueueDepth => {
  let waiting = 0
  let refreshedAt = Number.NEGATIVE_INFINITY

  const refresh = async () => {
    const counts = await Promise.all([
      redis.zcard(queue.toKey('prioritized')),
      redis.llen(queue.toKey('wait')),
      redis.zcard(queue.toKey('delayed'))
    ])
    waiting = counts.reduce((sum, count) => sum + count, 0)
  }

  return {
    admit() {
      if (now() - refreshedAt >= FRESH_MS) {
        refreshedAt = now()
        // A failed look changes nothing: the add that follows will say what is wrong with Redis.
        refresh().catch(() => undefined)
      }
      if (waiting >= limit) {
        throw new ProblemError(
          'queue_full',
          `${waiting} generations are waiting, and ${limit} may. Try again when some are done.`
        )
      }
    }
  }
}
