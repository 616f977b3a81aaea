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

export interface QueueDepth {
  /**
   * Throws a problem when the queue is full, by a look that is a second old at most and what was admitted here since. A promise
   * only where a look has to be waited for, as after a pause. `bytes` is the size of the request that asks.
   */
  admit(bytes: number): void | Promise<void>
  /** Whether a request would be admitted. */
  accepts(): Promise<boolean>
  /** Generations, or whatever the queue holds, that waited at the last look. */
  readonly waiting: number
}

const numberIn = (info: string, field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)

interface Look {
  at: number
  waiting: number
  usedBytes: number
  /** 0 = no limit. */
  limitBytes: number
}

const lookAt = async (redis: Redis, queue: Queue, at: number): Promise<Look> => {
  const [info, ...counts] = await Promise.all([
    redis.info('memory'),
    redis.zcard(queue.toKey('prioritized')),
    redis.llen(queue.toKey('wait')),
    redis.zcard(queue.toKey('delayed'))
  ])
  const waiting = counts.reduce((sum, count) => sum + count, 0)
  return { at, waiting, usedBytes: numberIn(info, 'used_memory'), limitBytes: numberIn(info, 'maxmemory') }
}

/** What was admitted here since a look. */
const createTally = () => {
  let before = { jobs: 0, bytes: 0 }
  let since = { jobs: 0, bytes: 0 }
  let factor = 1
  return {
    add: (bytes: number) => {
      since = { jobs: since.jobs + 1, bytes: since.bytes + JOB_BYTES + COPIES_OF_REQUEST * bytes }
    },
    /** A look begins: it may miss what is admitted from now on, and what is on its way. */
    begin: () => {
      before = since
      since = { jobs: 0, bytes: 0 }
    },
    /** It has failed, and tells nothing of what was admitted before. */
    undo: () => {
      since = { jobs: before.jobs + since.jobs, bytes: before.bytes + since.bytes }
    },
    /** It has found that Redis holds so much more than at the one before. */
    learn: (grownBytes: number) => {
      if (before.bytes > 0) factor = Math.min(MAX_FACTOR, Math.max(1, factor / 2, grownBytes / before.bytes))
    },
    jobs: () => since.jobs,
    bytes: () => since.bytes * factor
  }
}

/** Looks at Redis now and then, and what is made of them. */
const createLooks = (redis: Redis, queue: Queue, now: () => number) => {
  const tally = createTally()
  let last: Look = { at: Number.NEGATIVE_INFINITY, waiting: 0, usedBytes: 0, limitBytes: 0 }
  let looking: Promise<void> | undefined

  const share = () => (last.limitBytes === 0 ? 0 : (last.usedBytes + tally.bytes()) / last.limitBytes)
  const look = async (): Promise<void> => {
    const at = now()
    tally.begin()
    try {
      const found = await onRedis(() => lookAt(redis, queue, at))
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
    waiting: () => last.waiting,
    /** Of Redis' memory, the part that is used by now; 0 when it has no limit. */
    share
  }
}

/** Keeps an eye on the number of waiting jobs and on Redis' memory. */
export const createQueueDepth = (
  redis: Redis,
  queue: Queue,
  limit: number,
  now = Date.now,
  what: 'generations' | 'webhook deliveries' = 'generations'
): QueueDepth => {
  const looks = createLooks(redis, queue, now)

  const whyFull = (): string | undefined => {
    const waiting = looks.waiting() + looks.tally.jobs()
    if (waiting >= limit) return `${waiting} ${what} are waiting, and ${limit} may. Try again when some are done.`
    if (looks.share() <= MAX_MEMORY_SHARE) return undefined
    const percent = Math.round(looks.share() * 100)
    return `The queue's Redis uses ${percent} % of its memory, and the rest is kept for runners. Try again later, or give it more.`
  }
  const decide = (bytes: number): void => {
    const reason = whyFull()
    if (reason !== undefined) throw new ProblemError('queue_full', reason)
    looks.tally.add(bytes)
  }

  return {
    get waiting() {
      return looks.waiting()
    },
    admit(bytes) {
      const age = looks.age()
      if (age >= 1) return looks.look().then(() => decide(bytes))
      // Of a look aside nobody hears when it fails: the next one is waited for.
      if (age >= 0.5) looks.look().catch(() => undefined)
      return decide(bytes)
    },
    async accepts() {
      if (looks.age() >= 1) await looks.look()
      return whyFull() === undefined
    }
  }
}
