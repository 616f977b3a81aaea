import { DEFAULT_POOL, type RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { openPoolQueues, type PoolQueues } from '../pools/queues.ts'
import { createRecordLapse } from './lapse.ts'
import { createReader, type GenerationReader } from './reader.ts'
import { createRemoveMarked, type RemoveMarked } from './remove-marked.ts'

/** What whoever looks after generations has in common. */
export interface Generations {
  queues: PoolQueues
  removeMarked: RemoveMarked
  reader: GenerationReader
}

/** Opens the queues of all pools, and reads what is in them, on a connection with the scripts of this workspace. */
export const openGenerations = (redis: Redis, keys: RedisKeys): Generations => {
  const queues = openPoolQueues(redis, keys)
  const removeMarked = createRemoveMarked(queues.of(DEFAULT_POOL), keys)
  return { queues, removeMarked, reader: createReader(redis, keys, createRecordLapse({ redis, keys, removeMarked })) }
}
