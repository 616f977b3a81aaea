import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import type { PoolQueues } from './queues.ts'

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

/** Looks at a queue by counts and heads alone, whatever its length. */
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

/** Looks at the queue of each pool there is, the default one first. */
export const lookAtPools = async (
  redis: Redis,
  queues: Pick<PoolQueues, 'of' | 'names'>,
  now = Date.now
): Promise<ReadonlyMap<string, QueueLook>> => {
  const names = await queues.names()
  const looks = await Promise.all(names.map((name) => lookAtQueue(redis, queues.of(name), now)))
  return new Map(names.map((name, place) => [name, looks[place] ?? EMPTY]))
}

const EMPTY: QueueLook = { waiting: 0, running: 0, delayed: 0, nextWaitMs: null }

/** All queues as one. */
export const sumOf = (looks: Iterable<QueueLook>): QueueLook => {
  let sum = EMPTY
  for (const { waiting, running, delayed, nextWaitMs } of looks) {
    sum = {
      waiting: sum.waiting + waiting,
      running: sum.running + running,
      delayed: sum.delayed + delayed,
      nextWaitMs: nextWaitMs === null ? sum.nextWaitMs : Math.max(sum.nextWaitMs ?? 0, nextWaitMs)
    }
  }
  return sum
}
