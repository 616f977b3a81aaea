import { randomBytes } from 'node:crypto'
import {
  base32,
  type DeliverWebhookPayload,
  deliverWebhookJob,
  type DeliverWebhookResult,
  type WebhookAttempt
} from '@nextscale/openapi'
import { type Job, Queue, UnrecoverableError, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { OWNER } from '../keys/owner.ts'
import type { TestApp } from './test-app.ts'

const TOKEN = 'test'
const DEADLINE_MS = 10_000

export const ATTEMPT: WebhookAttempt = {
  at: '2026-01-01T00:00:00.000Z',
  outcome: 'rejected',
  status_code: 500,
  latency_ms: 12,
  error: null,
  response: 'Not now.'
}

type DeliveryJob = Job<DeliverWebhookPayload>

/** Stands in for the control process: moves deliveries through BullMQ itself, one step at a time. */
export interface Deliveries {
  readonly queue: Queue<DeliverWebhookPayload>
  /** Adds one that is due, with its place in the owner's log. */
  add(changes?: Partial<DeliverWebhookPayload>, createdAt?: number): Promise<string>
  /** Takes up the next that is due; it is under way then. */
  take(): Promise<DeliveryJob>
  deliver(job: DeliveryJob, result?: Partial<DeliverWebhookResult>, attempt?: Partial<WebhookAttempt>): Promise<void>
  /** Fails an attempt: the next follows after the pause. */
  retryLater(job: DeliveryJob, attempt?: Partial<WebhookAttempt>): Promise<void>
  giveUp(job: DeliveryJob, attempt?: Partial<WebhookAttempt>): Promise<void>
  close(): Promise<void>
}

export const RETRY_DELAY_MS = 3_600_000

const kept = { age: deliverWebhookJob.retentionSeconds }
const { attempts, backoff, keptAttempts: keepLogs } = deliverWebhookJob
const DELIVERY_OPTIONS = { attempts, backoff, removeOnComplete: kept, removeOnFail: kept, keepLogs }

export const newTestDeliveryId = (): string => `whd_${base32(randomBytes(16))}`

const TEST_PAYLOAD: DeliverWebhookPayload = {
  version: 1,
  owner: OWNER,
  generation_id: null,
  url: 'http://127.0.0.1:9/',
  base: 'http://127.0.0.1',
  event: 'webhook.test'
}

const ignore = () => undefined

const logAttempt = (job: DeliveryJob, attempt: Partial<WebhookAttempt>) => job.log(JSON.stringify({ ...ATTEMPT, ...attempt }))

/** What may become of one that is under way. */
const steps: Pick<Deliveries, 'deliver' | 'retryLater' | 'giveUp'> = {
  deliver: async (job, result = {}, attempt = {}) => {
    await logAttempt(job, { outcome: 'delivered', status_code: 204, response: '', ...attempt })
    await job.moveToCompleted({ outcome: 'delivered', event: 'webhook.test', ...result }, TOKEN, false)
  },
  retryLater: async (job, attempt = {}) => {
    await logAttempt(job, attempt)
    await job.moveToFailed(new Error('rejected'), TOKEN)
  },
  giveUp: async (job, attempt = {}) => {
    await logAttempt(job, attempt)
    await job.moveToFailed(new UnrecoverableError('rejected'), TOKEN)
  }
}

export const openDeliveries = ({ server, keys, redis }: TestApp): Deliveries => {
  const connection = new Redis(server.url, { maxRetriesPerRequest: null })
  const options = { connection, prefix: keys.bullmq }
  const queue = new Queue<DeliverWebhookPayload>(deliverWebhookJob.queue, options)
  const settings = { backoffStrategy: () => RETRY_DELAY_MS }
  const worker = new Worker<DeliverWebhookPayload>(deliverWebhookJob.queue, null, { ...options, settings, autorun: false })
  connection.on('error', ignore)
  queue.on('error', ignore)
  worker.on('error', ignore)
  return {
    queue,
    ...steps,
    add: async (changes = {}, createdAt = Date.now()) => {
      const id = newTestDeliveryId()
      const data = { ...TEST_PAYLOAD, ...changes }
      await queue.add(deliverWebhookJob.queue, data, { ...DELIVERY_OPTIONS, jobId: id, timestamp: createdAt })
      await redis.zadd(keys.deliveries(data.owner), createdAt, id)
      return id
    },
    take: async () => {
      // Each look waits for one to come, if not always as long as it may.
      const deadline = performance.now() + DEADLINE_MS
      while (performance.now() < deadline) {
        const job = await worker.getNextJob(TOKEN)
        if (job) return job
      }
      throw new Error('No delivery is due')
    },
    close: async () => {
      await worker.close(true)
      await queue.close()
      connection.disconnect()
    }
  }
}
