import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { ProblemError } from '../http/problem.ts'
import { onRedis } from '../redis/errors.ts'

/** What is decided goes by a look no older than this; one is taken aside, at no cost to requests, after half of it. */
const FRESH_MS = 1000
/** The same while memory runs short. */
const FRESH_NEAR_FULL_MS = 100
const NEAR_FULL_SHARE = 0.7
/** Of Redis' `maxmemory`. The rest is for runners: a Redis that is full takes no results. */
const MAX_MEMORY_SHARE = 0.85
/** What a job takes at least beside its request, which lies in it and in what is kept of it. */
const JOB_BYTES = 2000
const COPIES_OF_REQUEST = 2
/** Others may admit as well, and jobs take more than is known of them here: by how much is seen from one look to the next. */
const MAX_FACTOR = 20

/** Queues that are watched, by name. Each has room of its own; their Redis has one memory. */
export interface WatchedQueues {
  of(name: string): Pick<Queue, 'toKey'>
  names(): Promise<readonly string[]>
  lastNames(): readonly string[]
}

/** One queue as a set of queues. */
export const oneQueue = (queue: Queue): WatchedQueues => ({
  of: () => queue,
  names: () => Promise.resolve([queue.name]),
  lastNames: () => [queue.name]
})

export interface QueueDepth {
  /**
   * Throws a problem when the queue of that name is full, by a look that is a second old at most and what was admitted here since.
   * A promise only where a look has to be waited for, as after a pause. `bytes` is the size of the request that asks.
   */
  admit(bytes: number, name: string): void | Promise<void>
  /** Whether a request would be admitted to one of the queues. */
  accepts(): Promise<boolean>
  /** Generations, or whatever a queue holds, that waited at the last look, and that were admitted here since. */
  waitingIn(name: string): number
}

const numberIn = (info: string, field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)

interface Look {
  at: number
  /** By name of the queue. */
  waiting: ReadonlyMap<string, number>
  usedBytes: number
  /** 0 = no limit. */
  limitBytes: number
}

const lookAtOne = async (redis: Redis, queues: WatchedQueues, name: string): Promise<[name: string, waiting: number]> => {
  const queue = queues.of(name)
  const counts = await Promise.all([
    redis.zcard(queue.toKey('prioritized')),
    redis.llen(queue.toKey('wait')),
    redis.zcard(queue.toKey('delayed'))
  ])
  return [name, counts.reduce((sum, count) => sum + count, 0)]
}

/** Queues that come up meanwhile are seen by the next look: nothing is waited for but one answer. */
const lookAt = async (redis: Redis, queues: WatchedQueues, at: number): Promise<Look> => {
  const [info, , ...waiting] = await Promise.all([
    redis.info('memory'),
    queues.names(),
    ...queues.lastNames().map((name) => lookAtOne(redis, queues, name))
  ])
  return { at, waiting: new Map(waiting), usedBytes: numberIn(info, 'used_memory'), limitBytes: numberIn(info, 'maxmemory') }
}

/** What was admitted here since a look. */
const createTally = () => {
  const nothing = () => ({ jobs: new Map<string, number>(), bytes: 0 })
  let before = nothing()
  let since = nothing()
  let factor = 1
  const count = (name: string, jobs: number) => since.jobs.set(name, (since.jobs.get(name) ?? 0) + jobs)
  return {
    add: (name: string, bytes: number) => {
      count(name, 1)
      since.bytes += JOB_BYTES + COPIES_OF_REQUEST * bytes
    },
    /** A look begins: it may miss what is admitted from now on, and what is on its way. */
    begin: () => {
      before = since
      since = nothing()
    },
    /** It has failed, and tells nothing of what was admitted before. */
    undo: () => {
      for (const [name, jobs] of before.jobs) count(name, jobs)
      since.bytes += before.bytes
    },
    /** It has found that Redis holds so much more than at the one before. */
    learn: (grownBytes: number) => {
      if (before.bytes > 0) factor = Math.min(MAX_FACTOR, Math.max(1, factor / 2, grownBytes / before.bytes))
    },
    jobs: (name: string) => since.jobs.get(name) ?? 0,
    bytes: () => since.bytes * factor
  }
}

/** Looks at Redis now and then, and what is made of them. */
const createLooks = (redis: Redis, queues: WatchedQueues, now: () => number) => {
  const tally = createTally()
  let last: Look = { at: Number.NEGATIVE_INFINITY, waiting: new Map(), usedBytes: 0, limitBytes: 0 }
  let looking: Promise<void> | undefined

  const share = () => (last.limitBytes === 0 ? 0 : (last.usedBytes + tally.bytes()) / last.limitBytes)
  const look = async (): Promise<void> => {
    const at = now()
    tally.begin()
    try {
      // The first look has to know which there are.
      if (last.at === Number.NEGATIVE_INFINITY) await queues.names()
      const found = await onRedis(() => lookAt(redis, queues, at))
      if (last.at > Number.NEGATIVE_INFINITY) tally.learn(found.usedBytes - last.usedBytes)
      last = found
    } catch (error) {
      tally.undo()
      throw error
    }
  }
  return {
    tally,
    look: () => (looking ??= look().finally(() => (looking = undefined))),
    /** Age of the last look, in units of what it may be. */
    age: () => (now() - last.at) / (share() > NEAR_FULL_SHARE ? FRESH_NEAR_FULL_MS : FRESH_MS),
    waitingIn: (name: string) => (last.waiting.get(name) ?? 0) + tally.jobs(name),
    names: () => [...last.waiting.keys()],
    /** Of Redis' memory, the part that is used by now; 0 when it has no limit. */
    share
  }
}

/** Keeps an eye on the number of waiting jobs and on Redis' memory. */
export const createQueueDepth = (
  redis: Redis,
  queues: WatchedQueues,
  limit: number,
  now = Date.now,
  what: 'generations' | 'webhook deliveries' = 'generations'
): QueueDepth => {
  const looks = createLooks(redis, queues, now)

  const whyFull = (name: string): string | undefined => {
    const waiting = looks.waitingIn(name)
    if (waiting >= limit) return `${waiting} ${what} are waiting, and ${limit} may. Try again when some are done.`
    if (looks.share() <= MAX_MEMORY_SHARE) return undefined
    const percent = Math.round(looks.share() * 100)
    return `The queue's Redis uses ${percent} % of its memory, and the rest is kept for runners. Try again later, or give it more.`
  }
  const decide = (bytes: number, name: string): void => {
    const reason = whyFull(name)
    if (reason !== undefined) throw new ProblemError('queue_full', reason)
    looks.tally.add(name, bytes)
  }

  return {
    waitingIn: (name) => looks.waitingIn(name),
    admit(bytes, name) {
      const age = looks.age()
      if (age >= 1) return looks.look().then(() => decide(bytes, name))
      // Of a look aside nobody hears when it fails: the next one is waited for.
      if (age >= 0.5) looks.look().catch(() => undefined)
      return decide(bytes, name)
    },
    async accepts() {
      if (looks.age() >= 1) await looks.look()
      return looks.names().some((name) => whyFull(name) === undefined)
    }
  }
}
