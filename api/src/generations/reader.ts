import type { GenerateImagePayload, RedisKeys } from '@nextscale/openapi'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import { type GenerationKeys, type GenerationReply, readArguments } from '../redis/read-generation.ts'
import { type Snapshot, toSnapshot } from './snapshot.ts'

export interface GenerationReader {
  read(owner: string, id: string): Promise<Snapshot>
  /** Many in one round trip, in the order of the ids. */
  readMany(owner: string, ids: readonly string[]): Promise<Snapshot[]>
}

/** A pipeline's results are untyped; each of ours is a reply of the one script it runs. */
const asReply = (result: unknown): GenerationReply => result as GenerationReply

/** Keys of everything that decides the status of an owner's generation. */
export const generationKeys = (queue: Queue<GenerateImagePayload>, keys: RedisKeys) => {
  const lists = { active: queue.toKey('active'), wait: queue.toKey('wait'), prioritized: queue.toKey('prioritized') }
  return (owner: string, id: string): GenerationKeys => ({
    mark: keys.cancelMark(id),
    job: queue.toKey(id),
    index: keys.index(owner),
    ...lists
  })
}

export const createReader = (redis: Redis, queue: Queue<GenerateImagePayload>, keys: RedisKeys): GenerationReader => {
  const keysOf = generationKeys(queue, keys)
  return {
    read: async (owner, id) =>
      toSnapshot(id, owner, await onRedis(() => redis.readGeneration(...readArguments(keysOf(owner, id), id)))),
    readMany: (owner, ids) =>
      onRedis(async () => {
        if (ids.length === 0) return []
        const pipeline = redis.pipeline()
        for (const id of ids) pipeline.readGeneration(...readArguments(keysOf(owner, id), id))
        const results = (await pipeline.exec()) ?? []
        return results.map(([error, result], position) => {
          if (error) throw error
          return toSnapshot(ids[position] ?? '', owner, asReply(result))
        })
      })
  }
}
