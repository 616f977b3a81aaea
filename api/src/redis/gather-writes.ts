import type { Redis } from 'ioredis'

/** More than this at once, and API and Redis take turns instead of working side by side. */
const MOST_GATHERED = 16

/** Writes of many requests that leave together. */
export interface GatheredWrites {
  /** Holds back what is written to Redis until this turn of the event loop ends, or until 16 requests have asked. */
  gather(): void
  /** Adds a member to a sorted set, together with those of the other requests that are gathered. */
  addToSet(key: string, score: number, member: string): Promise<unknown>
}

interface Batch {
  entries: string[]
  added: Promise<unknown>
  send(): void
}

const createBatch = (redis: Redis, key: string): Batch => {
  const entries: Batch['entries'] = []
  const { promise: added, resolve } = Promise.withResolvers<unknown>()
  return { entries, added, send: () => resolve(redis.zadd(key, ...entries)) }
}

/** One system call, and one command for an index, per request cost an API under load a fifth of its time. */
export const createGatheredWrites = (redis: Redis): GatheredWrites => {
  const batches = new Map<string, Batch>()
  let release: (() => void) | undefined
  let gathered = 0

  const begin = () => {
    const { stream, status } = redis
    const isReady = status === 'ready'
    if (isReady) stream.cork()
    release = () => {
      clearImmediate(end)
      release = undefined
      gathered = 0
      for (const batch of batches.values()) batch.send()
      batches.clear()
      if (isReady) stream.uncork()
    }
    const end = setImmediate(release)
  }

  return {
    gather: () => {
      if (gathered >= MOST_GATHERED) release?.()
      if (!release) begin()
      gathered++
    },
    addToSet: (key, score, member) => {
      if (!release) begin()
      const batch = batches.get(key) ?? createBatch(redis, key)
      batches.set(key, batch)
      batch.entries.push(String(score), member)
      return batch.added
    }
  }
}
