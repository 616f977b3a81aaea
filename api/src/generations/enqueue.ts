import {
  type GenerateImagePayload,
  generateImageJob,
  MAX_RETENTION_SECONDS,
  type RedisKeys,
  virtualPriority
} from '@nextscale/openapi'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import { createIndexTrim } from './trim-index.ts'

/** Enough to share the cost of a write; more would leave Redis idle while they gather, and us while it adds them. */
const MAX_TOGETHER = 8

export interface Enqueue {
  /** `carrier` is the trace that the job goes on in. */
  (id: string, payload: GenerateImagePayload, createdAt: number, carrier?: string): Promise<void>
}

interface Entry {
  id: string
  payload: GenerateImagePayload
  createdAt: number
  carrier: string | undefined
  resolve: () => void
  reject: (error: unknown) => void
}

const { attempts, backoff, priority, queue: jobName } = generateImageJob
/** BullMQ measures all jobs by the age of the one that finishes, so this is no less than any may ask for. The sweep is exact. */
const kept = { age: MAX_RETENTION_SECONDS }

/** A generation as BullMQ takes it. */
export const toJob = ({ id, payload, createdAt, carrier }: Omit<Entry, 'resolve' | 'reject'>) => ({
  name: jobName,
  data: payload,
  opts: {
    jobId: id,
    timestamp: createdAt,
    priority: virtualPriority(priority, payload.input.priority, createdAt),
    attempts,
    backoff,
    removeOnComplete: kept,
    removeOnFail: kept,
    // For each job its own: requests of different traces are added together.
    ...(carrier !== undefined && { telemetry: { metadata: carrier } })
  }
})

const isRefusal = (error: unknown) => error instanceof Error && error.name === 'ReplyError'

/**
 * Adds generations to the queue and to their owner's index. Requests that arrive in one turn of the event loop are
 * written together: commands sent singly cost a quarter more in all.
 */
export const createEnqueue = (redis: Redis, queue: Queue<GenerateImagePayload>, keys: RedisKeys): Enqueue => {
  let gathered: Entry[] = []
  const trim = createIndexTrim(redis, keys)

  const indexAll = async (entries: readonly Entry[]) => {
    const byOwner = Map.groupBy(entries, ({ payload }) => payload.owner)
    const commands = [...byOwner].map(([owner, own]) =>
      redis.zadd(keys.index(owner), ...own.flatMap(({ createdAt, id }) => [createdAt, id]))
    )
    await Promise.all(commands)
  }

  // Both are written before either is awaited, so they share one round trip.
  const addAll = (entries: readonly Entry[]) => Promise.all([indexAll(entries), queue.addBulk(entries.map(toJob))])

  /** Redis refused one of several: each is added again by itself, which changes nothing for those that are in. */
  const addEach = (entries: readonly Entry[]) =>
    Promise.all(entries.map((entry) => onRedis(() => addAll([entry])).then(entry.resolve, entry.reject)))

  const write = async (entries: readonly Entry[]) => {
    try {
      await onRedis(() => addAll(entries))
      for (const { resolve } of entries) resolve()
    } catch (error) {
      const cause = error instanceof Error ? (error.cause ?? error) : error
      if (entries.length > 1 && isRefusal(cause)) await addEach(entries)
      else for (const { reject } of entries) reject(error)
    }
  }

  const flush = () => {
    if (gathered.length === 0) return
    const entries = gathered
    gathered = []
    void write(entries)
  }

  return (id, payload, createdAt, carrier) =>
    new Promise((resolve, reject) => {
      if (gathered.length === 0) setImmediate(flush)
      gathered.push({ id, payload, createdAt, carrier, resolve, reject })
      if (gathered.length === MAX_TOGETHER) flush()
      trim(payload.owner, createdAt)
    })
}
