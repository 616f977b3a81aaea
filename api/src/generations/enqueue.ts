import {
  DEFAULT_POOL,
  type DeliverWebhookPayload,
  deliverWebhookJob,
  type GenerateImagePayload,
  generateImageJob,
  MAX_RETENTION_SECONDS,
  poolEntry,
  type QueuedWebhook,
  type RedisKeys,
  terminalDeliveryId,
  virtualPriority
} from '@nextscale/openapi'
import { deliveryOptions } from '@nextscale/platform'
import { type IRedisTransaction, Job, type Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import { createGatheredWrites } from '../redis/gather-writes.ts'
import { namedReply } from '../redis/named-reply.ts'
import { type GenerationReply, readArguments } from '../redis/read-generation.ts'
import { runTransaction } from '../redis/run-transaction.ts'
import type { PoolQueues } from '../pools/queues.ts'
import { type Snapshot, toSnapshot } from './snapshot.ts'
import { createIndexTrim } from './trim-index.ts'

/** A generation that is to be added to the queue. */
export interface Addition {
  id: string
  /** Whose queue it is put into. */
  pool: string
  payload: GenerateImagePayload
  createdAt: number
  /** The trace that the job goes on in. */
  carrier?: string | undefined
}

const { attempts, backoff, priority, queue: jobName } = generateImageJob
/** BullMQ measures all jobs by the age of the one that finishes, so this is no less than any may ask for. The sweep is exact. */
const kept = { age: MAX_RETENTION_SECONDS }

/** A generation as BullMQ takes it. */
const toJob = ({ id, payload, createdAt, carrier }: Addition) => ({
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

interface FlowQueues {
  queues: Pick<PoolQueues, 'of'>
  deliveryQueue: Queue<DeliverWebhookPayload>
}

/** The delivery of a generation's end, as BullMQ takes it. */
const toDelivery = ({ id, payload, createdAt }: Addition, { url, base, events }: QueuedWebhook) => {
  const data: DeliverWebhookPayload = { version: 1, owner: payload.owner, generation_id: id, url, base, event: null, events }
  return { name: deliverWebhookJob.queue, data, opts: deliveryOptions(terminalDeliveryId(id), createdAt) }
}

/**
 * Puts a generation and the delivery of its end into a transaction, as BullMQ's own flows do: the script that ends the
 * generation, whichever way, releases the delivery. Of the two the delivery comes first, and without it the generation
 * is not added.
 */
const addFlow = async (
  transaction: IRedisTransaction,
  { queues, deliveryQueue }: FlowQueues,
  addition: Addition,
  webhook: QueuedWebhook
): Promise<void> => {
  const delivery = toDelivery(addition, webhook)
  const deliveryId = delivery.opts.jobId
  const parent = new Job(deliveryQueue, delivery.name, delivery.data, delivery.opts, deliveryId)
  await parent.addJob(transaction, { addToWaitingChildren: true })
  const { name, data, opts } = toJob(addition)
  const link = { parent: { id: deliveryId, queue: deliveryQueue.qualifiedName }, ignoreDependencyOnFailure: true }
  const child = new Job(queues.of(addition.pool), name, data, { ...opts, ...link }, addition.id)
  const parentKey = deliveryQueue.toKey(deliveryId)
  await child.addJob(transaction, { parentKey, parentDependenciesKey: `${parentKey}:dependencies` })
}

/** A pool is on the list of those that are looked through with the first generation in its queue. */
const listPool = (transaction: IRedisTransaction, keys: RedisKeys, { pool, createdAt }: Addition): void => {
  if (pool !== DEFAULT_POOL) transaction.runCommand('zadd', [keys.pools, createdAt, pool])
}

export interface EnqueueContext extends FlowQueues {
  redis: Redis
  keys: RedisKeys
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

/** Adds a generation, the delivery of its end and the entries of both in their owner's indexes, all or nothing. */
const addAnnounced = async (context: EnqueueContext, addition: Addition, webhook: QueuedWebhook): Promise<void> => {
  const { deliveryQueue, keys } = context
  const { id, payload, createdAt } = addition
  const client = await deliveryQueue.backend.client
  const transaction = client.multi()
  // Plain commands, for which a Redis that is full refuses the whole transaction.
  transaction.runCommand('zadd', [keys.index(payload.owner), createdAt, id])
  transaction.runCommand('zadd', [keys.deliveries(payload.owner), createdAt, terminalDeliveryId(id)])
  listPool(transaction, keys, addition)
  await addFlow(transaction, context, addition, webhook)
  await runTransaction(client, transaction)
}

/** A placement is written down again after this. */
const NOTED_MS = 60_000

/** Writes down now and then what is put into which queue: who looks for generations that are served elsewhere goes by it. */
const createPlacementNotes = (redis: Redis, keys: RedisKeys) => {
  const notedAt = new Map<string, number>()
  return ({ pool, payload: { input }, createdAt }: Addition): void => {
    const entry = poolEntry(pool, input.model, input.model_revision)
    if (createdAt - (notedAt.get(entry) ?? Number.NEGATIVE_INFINITY) < NOTED_MS) return
    notedAt.set(entry, createdAt)
    redis.zadd(keys.placements, createdAt, entry).catch(() => notedAt.delete(entry))
  }
}

export interface Added {
  /** Whether this call made it; else the id had been used before. */
  isNew: boolean
  /** What is there now, whoever made it. */
  snapshot: Snapshot
}

/** A transaction's results are untyped; the first and the last of these are those of our scripts. */
const asReplies = (results: readonly unknown[]) => ({
  isNew: results[0] === 1,
  reply: namedReply<GenerationReply>(results.at(-1))
})

/** Puts the add of an id that may have been used into a transaction, between scripts that see to it that it is only added if it was not. */
const createAddUnlessUsed = (context: EnqueueContext) => {
  const { queues, deliveryQueue, keys } = context
  return async (transaction: IRedisTransaction, addition: Addition): Promise<void> => {
    const { id, payload, pool } = addition
    const queue = queues.of(pool)
    const [mark, job, index] = [keys.cancelMark(id), queue.toKey(id), keys.index(payload.owner)]
    if (payload.webhook) {
      const deliveryId = terminalDeliveryId(id)
      const delivery = deliveryQueue.toKey(deliveryId)
      transaction.runCommand('openKeyedFlow', [mark, job, index, delivery, keys.pools, id])
      await addFlow(transaction, context, addition, payload.webhook)
      transaction.runCommand('closeKeyedFlow', [job, index, delivery, keys.deliveries(payload.owner), id, deliveryId])
    } else {
      const { name, data, opts } = toJob(addition)
      transaction.runCommand('openKeyedAdd', [mark, job, index, keys.pools, id])
      await new Job(queue, name, data, opts, id).addJob(transaction)
      transaction.runCommand('closeKeyedAdd', [job, index, id])
    }
  }
}

export interface Enqueue {
  /** Adds a generation whose id is new to the queue and to its owner's index. */
  add(addition: Addition): Promise<void>
  /**
   * Adds a generation whose id may have been used, and reads back what is there, in one transaction: of many at once exactly one
   * is new, and an id that is remembered in any form is never added again. The delivery of its end is added with it or not at all.
   */
  addKeyed(addition: Addition): Promise<Added>
}

export const createEnqueue = (context: EnqueueContext): Enqueue => {
  const { redis, queues, deliveryQueue, keys } = context
  const trim = createIndexTrim(redis, keys)
  const writes = createGatheredWrites(redis)
  const notePlacement = createPlacementNotes(redis, keys)
  const addUnlessUsed = createAddUnlessUsed(context)

  // The job goes to BullMQ's backend as it is written: making a `Job` of it first, and a pipeline around it, takes as long as the rest.
  const addAlone = (addition: Addition) => {
    const { name, data, opts } = toJob(addition)
    const job = { ...NEW_JOB, id: addition.id, name, data: JSON.stringify(data), opts, timestamp: addition.createdAt }
    return queues.of(addition.pool).backend.addJob(job, addition.id, {})
  }

  const addKeyed = async (addition: Addition): Promise<Added> => {
    const { id, payload } = addition
    const client = await deliveryQueue.backend.client
    const transaction = client.multi()
    await addUnlessUsed(transaction, addition)
    listPool(transaction, keys, addition)
    transaction.runCommand('readGeneration', readArguments(keys, payload.owner, id))
    const { isNew, reply } = asReplies(await runTransaction(client, transaction))
    return { isNew, snapshot: toSnapshot(id, payload.owner, reply) }
  }

  return {
    add: async (addition) => {
      const { id, pool, createdAt } = addition
      const { owner, webhook } = addition.payload
      trim(owner, createdAt)
      writes.gather()
      notePlacement(addition)
      if (webhook) await onRedis(() => addAnnounced(context, addition, webhook))
      else {
        const listed = pool === DEFAULT_POOL ? undefined : writes.addToSet(keys.pools, createdAt, pool)
        await onRedis(() => Promise.all([listed, writes.addToSet(keys.index(owner), createdAt, id), addAlone(addition)]))
      }
    },
    addKeyed: (addition) => {
      trim(addition.payload.owner, addition.createdAt)
      notePlacement(addition)
      return onRedis(() => addKeyed(addition))
    }
  }
}
