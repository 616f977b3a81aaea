import { randomBytes } from 'node:crypto'
import { base32, type DeliverWebhookPayload, deliverWebhookJob, type RedisKeys, TEST_WEBHOOK_EVENT } from '@nextscale/openapi'
import { deliveryOptions } from '@nextscale/platform'
import { Job, type Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { createIndexTrim } from '../generations/trim-index.ts'
import { onRedis } from '../redis/errors.ts'
import { runTransaction } from '../redis/run-transaction.ts'

const ID_BYTES = 16

interface AddContext {
  redis: Redis
  deliveryQueue: Queue<DeliverWebhookPayload>
  keys: RedisKeys
}

interface TestDelivery {
  owner: string
  url: string
  /** Base of absolute URLs, as the request saw the API. */
  base: string
}

/** A function that adds the delivery of a test event, with its place in the owner's log, all or nothing. Resolves to its id. */
export const createAddTestDelivery = ({ redis, deliveryQueue, keys }: AddContext) => {
  const trim = createIndexTrim(redis, keys)
  return ({ owner, url, base }: TestDelivery, createdAt = Date.now()): Promise<string> =>
    onRedis(async () => {
      trim(owner, createdAt)
      const jobId = `whd_${base32(randomBytes(ID_BYTES))}`
      const data: DeliverWebhookPayload = { version: 1, owner, generation_id: null, url, base, event: TEST_WEBHOOK_EVENT }
      const client = await deliveryQueue.backend.client
      const transaction = client.multi()
      // First, and a plain command: a Redis that is full refuses it, and with it the whole transaction.
      transaction.runCommand('zadd', [keys.deliveries(owner), createdAt, jobId])
      await new Job(deliveryQueue, deliverWebhookJob.queue, data, deliveryOptions(jobId, createdAt), jobId).addJob(transaction)
      await runTransaction(client, transaction)
      return jobId
    })
}
