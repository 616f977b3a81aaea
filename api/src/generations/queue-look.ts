import { generateImageJob, type Priority } from '@nextscale/openapi'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'

/** BullMQ's score of a job that waits: its priority times this, and a running number. */
const SCORE_OF_ONE_PRIORITY = 0x1_0000_0000
const PRIORITIES = ['high', 'normal', 'low'] as const satisfies readonly Priority[]

export interface QueueLook {
  waiting: number
  running: number
  /** Those that wait for another attempt; not among `waiting`. */
  delayed: number
  /** How long the next one to run has waited; null when none waits. */
  nextWaitMs: number | null
  /** How long the longest waiting one of each priority has. */
  waitMs: Record<Priority, number | null>
}

/** Looks at the queue by counts and heads alone, whatever its length. */
export const lookAtQueue = (redis: Redis, queue: Queue, now = Date.now): Promise<QueueLook> =>
  onRedis(async () => {
    const [wait, prioritized] = [queue.toKey('wait'), queue.toKey('prioritized')]
    const firstOf = async (priority: Priority) => {
      const score = generateImageJob.priority[priority] * SCORE_OF_ONE_PRIORITY
      return (await redis.zrange(prioritized, score, `(${score + SCORE_OF_ONE_PRIORITY}`, 'BYSCORE', 'LIMIT', 0, 1))[0] ?? null
    }
    const [inWait, byPriority, running, delayed, handedBack, ...firsts] = await Promise.all([
      redis.llen(wait),
      redis.zcard(prioritized),
      redis.llen(queue.toKey('active')),
      redis.zcard(queue.toKey('delayed')),
      redis.lindex(wait, -1),
      ...PRIORITIES.map(firstOf)
    ])
    const waitOf = async (id: string | null | undefined) => {
      const createdAt = id ? await redis.hget(queue.toKey(id), 'timestamp') : null
      return createdAt === null ? null : Math.max(0, now() - Number(createdAt))
    }
    const [next, high, normal, low] = await Promise.all([handedBack, ...firsts].map(waitOf))
    const waitMs = { high: high ?? null, normal: normal ?? null, low: low ?? null }
    const nextWaitMs = next ?? waitMs.high ?? waitMs.normal ?? waitMs.low
    return { waiting: inWait + byPriority, running, delayed, nextWaitMs, waitMs }
  })
