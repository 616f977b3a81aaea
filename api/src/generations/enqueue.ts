import { type GenerateImagePayload, type QueuedWebhook, type RedisKeys, terminalDeliveryId } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import { createHeldWrites } from '../redis/hold-writes.ts'
import { runTransaction } from '../redis/run-transaction.ts'
import { addFlow, type FlowQueues } from './add-flow.ts'
import { type Addition, toJob } from './to-job.ts'
import { createIndexTrim } from './trim-index.ts'

export interface Enqueue {
  /** `carrier` is the trace that the job goes on in. */
  (id: string, payload: GenerateImagePayload, createdAt: number, carrier?: string): Promise<void>
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
  const { queue, keys } = context
  const { id, payload, createdAt } = addition
  const client = await queue.backend.client
  const transaction = client.multi()
  // Plain commands, for which a Redis that is full refuses the whole transaction.
  transaction.runCommand('zadd', [keys.index(payload.owner), createdAt, id])
  transaction.runCommand('zadd', [keys.deliveries(payload.owner), createdAt, terminalDeliveryId(id)])
  await addFlow(transaction, context, addition, webhook)
  await runTransaction(client, transaction)
}

/**
 * Adds generations to the queue and to their owner's index. The job goes to BullMQ's backend as it is written, since
 * making a `Job` of it first, and a pipeline around it, takes as long as the rest of an add.
 */
export const createEnqueue = (context: EnqueueContext): Enqueue => {
  const { redis, queue, keys } = context
  const trim = createIndexTrim(redis, keys)
  const writes = createHeldWrites(redis)

  const add = (addition: Addition) => {
    const { name, data, opts } = toJob(addition)
    const job = { ...NEW_JOB, id: addition.id, name, data: JSON.stringify(data), opts, timestamp: addition.createdAt }
    return queue.backend.addJob(job, addition.id, {})
  }

  return async (id, payload, createdAt, carrier) => {
    trim(payload.owner, createdAt)
    writes.hold()
    const addition = { id, payload, createdAt, carrier }
    const { owner, webhook } = payload
    if (webhook) await onRedis(() => addAnnounced(context, addition, webhook))
    else await onRedis(() => Promise.all([writes.addToSet(keys.index(owner), createdAt, id), add(addition)]))
  }
}
