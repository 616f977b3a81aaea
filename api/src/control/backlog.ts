import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { lookAtQueue } from '../pools/look.ts'
import type { PoolQueues } from '../pools/queues.ts'
import { poolOf } from '../pools/serving.ts'
import { delayedUntil } from '../redis/delayed-until.ts'
import { onRedis } from '../redis/errors.ts'
import type { RunnerRegistry } from '../runners/read-runners.ts'

/** How much there is to do in a pool, and who is there to do it. */
export interface PoolBacklog {
  /** Generations there is work for now: those that wait, run, or are due for another attempt. */
  generations: number
  /** How long the next one to run has waited, in ms. */
  oldestWaitMs: number
  /** Runners heard of in the last half minute. */
  runners: number
}

export interface Backlog {
  /** By name, the default one first. */
  pools: ReadonlyMap<string, PoolBacklog>
  /** Webhook deliveries that are due or under way. */
  deliveries: number
}

interface BacklogContext {
  redis: Redis
  queues: Pick<PoolQueues, 'of' | 'names'>
  deliveryQueue: Queue
  runners: RunnerRegistry
  now?: () => number
}

/** Measures how much there is to do, and who is there to do it. */
export const measureBacklog = async (context: BacklogContext): Promise<Backlog> => {
  const { redis, queues, deliveryQueue, runners, now = Date.now } = context
  const due = (of: Queue) => onRedis(() => redis.zcount(of.toKey('delayed'), 0, delayedUntil(now())))
  const cards = await runners.cards()
  const measure = async (pool: string): Promise<[string, PoolBacklog]> => {
    const queue = queues.of(pool)
    const [look, dueGenerations] = await Promise.all([lookAtQueue(redis, queue, now), due(queue)])
    const generations = look.waiting + look.running + dueGenerations
    const ownRunners = cards.filter((card) => poolOf(card) === pool).length
    return [pool, { generations, oldestWaitMs: look.nextWaitMs ?? 0, runners: ownRunners }]
  }
  const counts = onRedis(() => Promise.all([redis.llen(deliveryQueue.toKey('wait')), redis.llen(deliveryQueue.toKey('active'))]))
  const [pools, [wait, active], dueDeliveries] = await Promise.all([
    queues.names().then((names) => Promise.all(names.map(measure))),
    counts,
    due(deliveryQueue)
  ])
  return { pools: new Map(pools), deliveries: wait + active + dueDeliveries }
}

/** All pools as one. */
export const totalOf = ({ pools }: Pick<Backlog, 'pools'>): PoolBacklog => {
  const all = [...pools.values()]
  return {
    generations: all.reduce((sum, { generations }) => sum + generations, 0),
    oldestWaitMs: Math.max(0, ...all.map(({ oldestWaitMs }) => oldestWaitMs)),
    runners: all.reduce((sum, { runners }) => sum + runners, 0)
  }
}
