import { type GenerateImagePayload, terminalDeliveryId } from '@nextscale/openapi'
import { type IRedisTransaction, Job } from 'bullmq'
import { onRedis } from '../redis/errors.ts'
import { type GenerationReply, readArguments } from '../redis/read-generation.ts'
import { runTransaction } from '../redis/run-transaction.ts'
import { addFlow } from './add-flow.ts'
import type { EnqueueContext } from './enqueue.ts'
import { generationKeys } from './reader.ts'
import { type Snapshot, toSnapshot } from './snapshot.ts'
import { type Addition, toJob } from './to-job.ts'
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

/** A transaction's results are untyped; the first and the last of these are those of our scripts. */
const asReplies = (results: readonly unknown[]) => [results[0], results.at(-1)] as [0 | 1, GenerationReply]

/** Puts the add of an id that may have been used into a transaction, between scripts that see to it that it is only added if it was not. */
const createAddUnlessUsed = (context: EnqueueContext) => {
  const { queue, deliveryQueue, keys } = context
  const keysOf = generationKeys(queue, keys)
  return async (transaction: IRedisTransaction, addition: Addition): Promise<void> => {
    const { id, payload } = addition
    const { mark, job, index } = keysOf(payload.owner, id)
    if (payload.webhook) {
      const deliveryId = terminalDeliveryId(id)
      const delivery = deliveryQueue.toKey(deliveryId)
      transaction.runCommand('openKeyedFlow', [mark, job, index, delivery, id])
      await addFlow(transaction, context, addition, payload.webhook)
      transaction.runCommand('closeKeyedFlow', [job, index, delivery, keys.deliveries(payload.owner), id, deliveryId])
    } else {
      const { name, data, opts } = toJob(addition)
      transaction.runCommand('openKeyedAdd', [mark, job, index, id])
      await new Job(queue, name, data, opts, id).addJob(transaction)
      transaction.runCommand('closeKeyedAdd', [job, index, id])
    }
  }
}

/**
 * Adds a generation whose id may have been used, and reads back what is there, in one transaction: of many at once
 * exactly one is new, and an id that is remembered in any form is never added again. The delivery of its end is added
 * with it or not at all.
 */
export const createEnqueueKeyed = (context: EnqueueContext): EnqueueKeyed => {
  const { redis, queue, keys } = context
  const keysOf = generationKeys(queue, keys)
  const trim = createIndexTrim(redis, keys)
  const addUnlessUsed = createAddUnlessUsed(context)

  const add = async (addition: Addition): Promise<Added> => {
    const { id, payload } = addition
    const client = await queue.backend.client
    const transaction = client.multi()
    await addUnlessUsed(transaction, addition)
    transaction.runCommand('readGeneration', readArguments(keysOf(payload.owner, id), id))
    const [isNew, reply] = asReplies(await runTransaction(client, transaction))
    return { isNew: isNew === 1, snapshot: toSnapshot(id, payload.owner, reply) }
  }

  return (id, payload, createdAt, carrier) => {
    trim(payload.owner, createdAt)
    return onRedis(() => add({ id, payload, createdAt, carrier }))
  }
}
