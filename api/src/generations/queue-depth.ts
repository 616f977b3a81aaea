import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { ProblemError } from '../http/problem.ts'

const FRESH_MS = 1000
/** Of Redis' `maxmemory`. The rest is for runners: a Redis that is full can neither hand out jobs nor take results. */
const MAX_MEMORY_SHARE = 0.85

export interface QueueDepth {
  /** Throws a problem when the queue is full. What it goes by is about a second old, and looked up aside. */
  admit(): void
  /** Generations, or whatever the queue holds, that waited at the last look. */
  readonly waiting: number
}

const numberIn = (info: string, field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)

/** Used memory as a share of what Redis may use; 0 when that has no limit. */
const memoryShare = (info: string): number => {
  const limit = numberIn(info, 'maxmemory')
  return limit === 0 ? 0 : numberIn(info, 'used_memory') / limit
}

/** Keeps an eye on the number of waiting jobs and on Redis' memory, at no cost to the requests that ask. */
export const createQueueDepth = (
  redis: Redis,
  queue: Queue,
  limit: number,
  now = Date.now,
  what: 'generations' | 'webhook deliveries' = 'generations'
): QueueDepth => {
  let waiting = 0
  let usedShare = 0
  let refreshedAt = Number.NEGATIVE_INFINITY

  const lookAtMemory = async () => {
    usedShare = memoryShare(await redis.info('memory'))
  }

  const count = async () => {
    const counts = await Promise.all([
      redis.zcard(queue.toKey('prioritized')),
      redis.llen(queue.toKey('wait')),
      redis.zcard(queue.toKey('delayed'))
    ])
    waiting = counts.reduce((sum, count) => sum + count, 0)
  }

  return {
    get waiting() {
      return waiting
    },
    admit() {
      if (now() - refreshedAt >= FRESH_MS) {
        refreshedAt = now()
        // A failed look changes nothing: the add that follows will say what is wrong with Redis.
        count().catch(() => undefined)
        lookAtMemory().catch(() => undefined)
      }
      if (waiting >= limit) {
        throw new ProblemError('queue_full', `${waiting} ${what} are waiting, and ${limit} may. Try again when some are done.`)
      }
      if (usedShare > MAX_MEMORY_SHARE) {
        const share = Math.round(usedShare * 100)
        const detail = `The queue's Redis uses ${share} % of its memory, and the rest is kept for runners. Try again later, or give it more.`
        throw new ProblemError('queue_full', detail)
      }
    }
  }
}
