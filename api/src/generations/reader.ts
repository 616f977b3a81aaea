import type { RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import { namedReply } from '../redis/named-reply.ts'
import { type GenerationReply, readArguments } from '../redis/read-generation.ts'
import { type Lapsed, lapsedJob, type RecordLapse } from './lapse.ts'
import { type Snapshot, toSnapshot } from './snapshot.ts'

export interface GenerationReader {
  read(owner: string, id: string): Promise<Snapshot>
  /** Many in one round trip, in the order of the ids. */
  readMany(owner: string, ids: readonly string[]): Promise<Snapshot[]>
}

interface Read {
  snapshot: Snapshot
  lapsed: Lapsed | undefined
}

export const createReader = (redis: Redis, keys: RedisKeys, recordLapse: RecordLapse): GenerationReader => {
  const parse = (id: string, owner: string, result: unknown): Read => {
    const reply = namedReply<GenerationReply>(result)
    const snapshot = toSnapshot(id, owner, reply)
    return { snapshot, lapsed: lapsedJob(snapshot, reply.now) }
  }
  const look = async (owner: string, id: string): Promise<Read> =>
    parse(id, owner, await redis.readGeneration(...readArguments(keys, owner, id)))
  const lookAtMany = async (owner: string, ids: readonly string[]): Promise<Read[]> => {
    const pipeline = redis.pipeline()
    for (const id of ids) pipeline.readGeneration(...readArguments(keys, owner, id))
    const results = (await pipeline.exec()) ?? []
    return results.map(([error, result], position) => {
      if (error) throw error
      return parse(ids[position] ?? '', owner, result)
    })
  }
  /** One whose deadline passed while it waited is shown as ended only once that is on record. */
  const afterLapse = async (owner: string, { snapshot, lapsed }: Read): Promise<Snapshot> => {
    if (lapsed === undefined) return snapshot
    await recordLapse(lapsed)
    return (await look(owner, lapsed.snapshot.id)).snapshot
  }
  return {
    read: (owner, id) => onRedis(async () => afterLapse(owner, await look(owner, id))),
    readMany: (owner, ids) =>
      onRedis(async () => {
        if (ids.length === 0) return []
        const reads = await lookAtMany(owner, ids)
        return Promise.all(reads.map((read) => afterLapse(owner, read)))
      })
  }
}
