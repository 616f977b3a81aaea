import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { lookAtQueue } from '../generations/queue-look.ts'
import { delayedUntil } from '../redis/delayed-until.ts'
import { onRedis } from '../redis/errors.ts'
import type { RunnerRegistry } from '../runners/read-runners.ts'

export interface Backlog {
  /** Generations there is work for now: those that wait, run, or are due for another attempt. */
  generations: number
  /** How long the next one to run has waited, in ms. */
  oldestWaitMs: number
  /** Runners heard of in the last half minute. */
  runners: number
  /** Webhook deliveries that are due or under way. */
  deliveries: number
}

interface BacklogContext {
  redis: Redis
  queue: Queue
  deliveryQueue: Queue
  runners: RunnerRegistry
  now?: () => number
}

/** Measures how much there is to do, and who is there to do it. */
export const measureBacklog = async (context: BacklogContext): Promise<Backlog> => {
  const { redis, queue, deliveryQueue, runners, now = Date.now } = context
  const due = (of: Queue) => redis.zcount(of.toKey('delayed'), 0, delayedUntil(now()))
  const [look, dueGenerations, deliveries, cards] = await Promise.all([
    lookAtQueue(redis, queue, now),
    onRedis(() => due(queue)),
    onRedis(() =>
      Promise.all([redis.llen(deliveryQueue.toKey('wait')), redis.llen(deliveryQueue.toKey('active')), due(deliveryQueue)])
    ),
    runners.cards()
  ])
  return {
    generations: look.waiting + look.running + dueGenerations,
    oldestWaitMs: look.nextWaitMs ?? 0,
    runners: cards.length,
    deliveries: deliveries.reduce((sum, count) => sum + count, 0)
  }
}
