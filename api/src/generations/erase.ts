import { type GenerateImagePayload, generationPrefix, type RedisKeys } from '@nextscale/openapi'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { ProblemError } from '../http/problem.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { onRedis } from '../redis/errors.ts'
import { notFound, unreadable } from './find.ts'
import type { GenerationReader } from './reader.ts'
import { isTerminal, settle } from './settle.ts'

interface EraseContext {
  redis: Redis
  queue: Queue<GenerateImagePayload>
  keys: RedisKeys
  reader: GenerationReader
  store: ObjectStore
}

const notTerminal = (id: string, status: string) =>
  new ProblemError('generation_not_terminal', `${id} is ${status}. Cancel it first with POST /v1/generations/${id}/cancel.`)

/** BullMQ does not remove a job a runner holds; that one is about to see the mark and put it away. */
const removeJob = async (queue: Queue, id: string): Promise<void> => {
  if ((await onRedis(() => queue.remove(id))) === 1) return
  throw new ProblemError('generation_not_terminal', `A runner is just putting ${id} away. Try again in a second.`)
}

/**
 * Erases a terminal generation: its objects, its job, its mark, in this order, so that a failure leaves something to try
 * again with. The id stays in the index, which makes later reads 410 and a second erasure a no-op.
 */
export const erase = async ({ redis, queue, keys, reader, store }: EraseContext, owner: string, id: string): Promise<void> => {
  const snapshot = await reader.read(owner, id)
  if (snapshot.kind === 'gone') return
  if (snapshot.kind === 'unknown') throw notFound(id)
  if (snapshot.kind === 'unreadable') throw unreadable(id)
  const standing = settle(snapshot)
  if (!isTerminal(standing)) throw notTerminal(id, standing.status)
  await store.remove(generationPrefix(id))
  if (snapshot.kind === 'job') await removeJob(queue, id)
  await onRedis(() => Promise.all([redis.del(keys.cancelMark(id)), redis.zrem(keys.expiry, id)]))
}
