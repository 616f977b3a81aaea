import { type DeliverWebhookPayload, deliverWebhookJob, type RedisKeys } from '@nextscale/openapi'
import { deliveryOptions } from '@nextscale/platform'
import { type IRedisTransaction, Job, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'

/** The list of a generation's deliveries outlives each of them. */
const LISTED_SECONDS = deliverWebhookJob.retentionSeconds + 86_400

/** The delivery of an event on a generation's way. */
export interface LiveDelivery {
  id: string
  /** When the event was, in Unix ms. */
  createdAt: number
  payload: DeliverWebhookPayload
}

export interface DeliveryQueue {
  /**
   * Adds deliveries of one generation, all or nothing; those that are there already are left as they are. Resolves once
   * they are on the connection, before Redis has answered; `answered` rejects when it refuses them.
   */
  add(generationId: string, owner: string, deliveries: readonly LiveDelivery[]): Promise<{ answered: Promise<void> }>
  close(): Promise<void>
}

const { queue: name } = deliverWebhookJob

const execute = async (transaction: IRedisTransaction): Promise<void> => {
  for (const [error] of (await transaction.exec()) ?? []) if (error) throw error
}

/** `redis` is shared with whoever ends generations, so that what is added here is there before their end. */
export const openDeliveryQueue = async (redis: Redis, keys: RedisKeys, log: Logger): Promise<DeliveryQueue> => {
  const queue = new Queue<DeliverWebhookPayload>(name, {
    connection: redis,
    prefix: keys.bullmq,
    skipVersionCheck: true,
    skipWaitingForReady: true,
    skipMetasUpdate: true
  })
  // The connection reports its own state; without a listener an error event would end the process.
  queue.on('error', (error) => log.debug({ err: error }, 'queue of webhook deliveries'))
  const client = await queue.backend.client

  const addJob = ({ id, createdAt, payload }: LiveDelivery, transaction: IRedisTransaction) =>
    new Job(queue, name, payload, deliveryOptions(id, createdAt), id).addJob(transaction)

  return {
    add: async (generationId, owner, deliveries) => {
      const transaction = client.multi()
      const listed = deliveries.flatMap(({ createdAt, id }) => [createdAt, id])
      // First, and plain commands: a Redis that is full refuses them, and with them the whole transaction.
      transaction.runCommand('zadd', [keys.deliveries(owner), 'NX', ...listed])
      transaction.runCommand('zadd', [keys.liveDeliveries(generationId), 'NX', ...listed])
      transaction.runCommand('expire', [keys.liveDeliveries(generationId), LISTED_SECONDS])
      for (const delivery of deliveries) await addJob(delivery, transaction)
      return { answered: execute(transaction) }
    },
    close: () => queue.close()
  }
}
