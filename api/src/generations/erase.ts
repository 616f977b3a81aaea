import { type DeliverWebhookPayload, generationPrefix, type RedisKeys, terminalDeliveryId } from '@nextscale/openapi'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { ProblemError } from '../http/problem.ts'
import type { ObjectStore } from '@nextscale/platform/object-store'
import type { PoolQueues } from '../pools/queues.ts'
import { onRedis } from '../redis/errors.ts'
import { notFound, unreadable } from './find.ts'
import type { GenerationReader } from './reader.ts'
import { isTerminal, settle } from './settle.ts'

interface EraseContext {
  redis: Redis
  queues: Pick<PoolQueues, 'of'>
  deliveryQueue: Queue<DeliverWebhookPayload>
  keys: RedisKeys
  reader: GenerationReader
  store: Pick<ObjectStore, 'remove'>
}

const notTerminal = (id: string, status: string) =>
  new ProblemError('generation_not_terminal', `${id} is ${status}. Cancel it first with POST /v1/generations/${id}/cancel.`)

/** BullMQ does not remove a job a runner holds; that one is about to see the mark and put it away. */
const removeJob = async (queue: Queue, id: string): Promise<void> => {
  if ((await onRedis(() => queue.remove(id))) === 1) return
  throw new ProblemError('generation_not_terminal', `A runner is just putting ${id} away. Try again in a second.`)
}

/**
 * Removes its webhook deliveries, on their way or not. One that is under way is left to its end, which finds nothing to
 * tell of any more.
 */
const removeDeliveries = async ({ redis, deliveryQueue, keys }: EraseContext, owner: string, id: string): Promise<void> => {
  const live = await redis.zrange(keys.liveDeliveries(id), '0', '-1')
  const ids = [terminalDeliveryId(id), ...live]
  // Not with their children: the generation is one, and is removed by itself.
  const results = await Promise.all(ids.map((deliveryId) => deliveryQueue.remove(deliveryId, { removeChildren: false })))
  const removed = ids.filter((_, position) => results[position] === 1)
  if (removed.length > 0) await redis.zrem(keys.deliveries(owner), ...removed)
  // What BullMQ keeps of the generation beside one that is under way.
  const left = ids.filter((deliveryId) => !removed.includes(deliveryId)).map((deliveryId) => deliveryQueue.toKey(deliveryId))
  await redis.del(keys.liveDeliveries(id), ...left.flatMap((key) => [`${key}:processed`, `${key}:failed`]))
}

/**
 * Erases a terminal generation: its objects, its job, its deliveries, its mark, in this order, so that a failure leaves
 * something to try again with. The id stays in the index, which makes later reads 410; a second erasure finds deliveries
 * that the first one left.
 */
export const erase = async (context: EraseContext, owner: string, id: string): Promise<void> => {
  const { redis, queues, keys, reader, store } = context
  const snapshot = await reader.read(owner, id)
  if (snapshot.kind === 'gone') return onRedis(() => removeDeliveries(context, owner, id))
  if (snapshot.kind === 'unknown') throw notFound(id)
  if (snapshot.kind === 'unreadable') throw unreadable(id)
  const standing = settle(snapshot)
  if (!isTerminal(standing)) throw notTerminal(id, standing.status)
  await store.remove(generationPrefix(id))
  if (snapshot.kind === 'job') await removeJob(queues.of(snapshot.pool), id)
  await onRedis(() => removeDeliveries(context, owner, id))
  await onRedis(() => Promise.all([redis.del(keys.cancelMark(id)), redis.zrem(keys.expiry, id)]))
}
