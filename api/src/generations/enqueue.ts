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
import { createWriteHold } from '../redis/hold-writes.ts'
import { createIndexTrim } from './trim-index.ts'

export interface Enqueue {
  /** `carrier` is the trace that the job goes on in. */
  (id: string, payload: GenerateImagePayload, createdAt: number, carrier?: string): Promise<void>
}

interface Entry {
  id: string
  payload: GenerateImagePayload
  createdAt: number
  carrier: string | undefined
}

/** What BullMQ has on record of a job that nobody has taken up. */
const NEW_JOB = {
  progress: 0,
  attemptsMade: 0,
  attemptsStarted: 0,
  stalledCounter: 0,
  failedReason: '',
  returnvalue: 'null'
} as const

const { attempts, backoff, priority, queue: jobName } = generateImageJob
/** BullMQ measures all jobs by the age of the one that finishes, so this is no less than any may ask for. The sweep is exact. */
const kept = { age: MAX_RETENTION_SECONDS }

/** A generation as BullMQ takes it. */
export const toJob = ({ id, payload, createdAt, carrier }: Entry) => ({
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

/**
 * Adds generations to the queue and to their owner's index. The job goes to BullMQ's backend as it is written, since
 * making a `Job` of it first, and a pipeline around it, takes as long as the rest of an add.
 */
export const createEnqueue = (redis: Redis, queue: Queue<GenerateImagePayload>, keys: RedisKeys): Enqueue => {
  const trim = createIndexTrim(redis, keys)
  const holdWrites = createWriteHold(redis)

  const add = (entry: Entry) => {
    const { name, data, opts } = toJob(entry)
    const job = { ...NEW_JOB, id: entry.id, name, data: JSON.stringify(data), opts, timestamp: entry.createdAt }
    return queue.backend.addJob(job, entry.id, {})
  }

  return async (id, payload, createdAt, carrier) => {
    trim(payload.owner, createdAt)
    holdWrites()
    const index = keys.index(payload.owner)
    await onRedis(() => Promise.all([redis.zadd(index, createdAt, id), add({ id, payload, createdAt, carrier })]))
  }
}
