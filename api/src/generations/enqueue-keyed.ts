import type { GenerateImagePayload, RedisKeys } from '@nextscale/openapi'
import { Job, type Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import { type GenerationReply, readArguments } from '../redis/read-generation.ts'
import { toJob } from './enqueue.ts'
import { generationKeys } from './reader.ts'
import { type Snapshot, toSnapshot } from './snapshot.ts'
import { createIndexTrim } from './trim-index.ts'

export interface Added {
  /** Whether this call made it; else the id had been used before. */
  isNew: boolean
  /** What is there now, whoever made it. */
  snapshot: Snapshot
}

export interface EnqueueKeyed {
  /** `carrier` is the trace that the job goes on in. */
  (id: string, payload: GenerateImagePayload, createdAt: number, carrier?: string): Promise<Added>
}

/** A transaction's results are untyped; these are those of our scripts, in their order. */
const asReplies = (results: readonly unknown[]) => results as readonly [0 | 1, unknown, unknown, GenerationReply]

/**
 * Adds a generation whose id may have been used, and reads back what is there, in one transaction: of many at once
 * exactly one is new, and an id that is remembered in any form is never added again.
 */
export const createEnqueueKeyed = (redis: Redis, queue: Queue<GenerateImagePayload>, keys: RedisKeys): EnqueueKeyed => {
  const keysOf = generationKeys(queue, keys)
  const trim = createIndexTrim(redis, keys)

  const add: EnqueueKeyed = async (id, payload, createdAt, carrier) => {
    const { name, data, opts } = toJob({ id, payload, createdAt, carrier })
    const job = new Job(queue, name, data, opts, id)
    const transaction = (await queue.backend.client).multi()
    const own = keysOf(payload.owner, id)
    transaction.runCommand('openKeyedAdd', [own.mark, own.job, own.index, id])
    await job.addJob(transaction)
    transaction.runCommand('closeKeyedAdd', [own.job, own.index, id])
    transaction.runCommand('readGeneration', readArguments(own, id))
    const results = (await transaction.exec()) ?? []
    for (const [error] of results) if (error) throw error
    const [isNew, , , reply] = asReplies(results.map(([, result]): unknown => result))
    return { isNew: isNew === 1, snapshot: toSnapshot(id, payload.owner, reply) }
  }

  return (id, payload, createdAt, carrier) => {
    trim(payload.owner, createdAt)
    return onRedis(() => add(id, payload, createdAt, carrier))
  }
}
