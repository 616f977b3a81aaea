import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'

export interface QueueLook {
  waiting: number
  running: number
  /** Those that wait for another attempt; not among `waiting`. */
  delayed: number
  /**
   * How long the next one to run has waited; null when none waits. None has waited much longer: what is more urgent is
   * ahead by minutes at most.
   */
  nextWaitMs: number | null
}

/** Looks at the queue by counts and heads alone, whatever its length. */
export const lookAtQueue = (redis: Redis, queue: Queue, now = Date.now): Promise<QueueLook> =>
  onRedis(async () => {
    const [wait, prioritized] = [queue.toKey('wait'), queue.toKey('prioritized')]
    const [inWait, byPriority, running, delayed, handedBack, [first]] = await Promise.all([
      redis.llen(wait),
      redis.zcard(prioritized),
      redis.llen(queue.toKey('active')),
      redis.zcard(queue.toKey('delayed')),
      redis.lindex(wait, -1),
      redis.zrange(prioritized, '0', '0')
    ])
    const next = handedBack ?? first
    const createdAt = next === undefined ? null : await redis.hget(queue.toKey(next), 'timestamp')
    const nextWaitMs = createdAt === null ? null : Math.max(0, now() - Number(createdAt))
    return { waiting: inWait + byPriority, running, delayed, nextWaitMs }
  })
