import { deliverWebhookJob } from '@nextscale/openapi'

const { attempts, backoff, retentionSeconds, keptAttempts: keepLogs } = deliverWebhookJob
const kept = { age: retentionSeconds }

/** How BullMQ is to keep and retry a webhook delivery, whoever adds it. `createdAt` is in Unix ms. */
export const deliveryOptions = (jobId: string, createdAt: number) => ({
  jobId,
  timestamp: createdAt,
  attempts,
  backoff,
  removeOnComplete: kept,
  removeOnFail: kept,
  keepLogs
})
