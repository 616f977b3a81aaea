import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GenerateImagePayload, generateImageJob, type Priority, redisKeys } from '@nextscale/openapi'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { startRedis } from '@nextscale/platform/testing'
import { modelCard } from '../testing/model-card.ts'
import { createEnqueue } from './enqueue.ts'
import { newGenerationId } from './id.ts'
import { openDeliveryQueue, openPoolQueues } from '../pools/queues.ts'
import { resolveInput } from './create/resolve-input.ts'

/** Adds jobs accepted at given times and says in which order a runner takes them up, by their labels. */
const orderOf = async (jobs: [label: string, priority: Priority, acceptedAt: number][]): Promise<string[]> => {
  const server = await startRedis()
  const redis = new Redis(server.url, { maxRetriesPerRequest: null })
  const keys = redisKeys('test')
  const queue = new Queue<GenerateImagePayload>(generateImageJob.queue, { connection: redis, prefix: keys.bullmq })
  const enqueue = createEnqueue({
    redis,
    queues: openPoolQueues(redis, keys),
    deliveryQueue: openDeliveryQueue(redis, keys),
    keys
  })
  for (const [label, priority, acceptedAt] of jobs) {
    const input = resolveInput({ priority }, [modelCard()])
    await enqueue.add({
      id: newGenerationId(),
      payload: { version: 1, owner: 'local', input, metadata: {}, label },
      pool: 'default',
      createdAt: acceptedAt
    })
  }
  const order: string[] = []
  const worker = new Worker<GenerateImagePayload>(generateImageJob.queue, async ({ data }) => void order.push(data.label ?? ''), {
    connection: redis,
    prefix: keys.bullmq
  })
  await new Promise<void>((resolve) => worker.on('completed', () => order.length === jobs.length && resolve()))
  await worker.close(true)
  await queue.close()
  redis.disconnect()
  await server.stop()
  return order
}

const now = Date.parse('2026-06-01T12:00:00Z')
const MINUTE = 60_000

test('within some minutes high comes before normal before low, each in the order of acceptance', async () => {
  const labels = await orderOf([
    ['low', 'low', now],
    ['normal 1', 'normal', now + 1],
    ['high 1', 'high', now + 2],
    ['normal 2', 'normal', now + 3],
    ['high 2', 'high', now + 4]
  ])
  assert.deepEqual(labels, ['high 1', 'high 2', 'normal 1', 'normal 2', 'low'])
})

test('what has waited for ten minutes is not held up by a flood of urgent jobs', async () => {
  const flood = Array.from({ length: 50 }, (_, i): [string, Priority, number] => [`high ${i}`, 'high', now + 10 * MINUTE + i])
  const labels = await orderOf([['normal', 'normal', now], ...flood])
  assert.equal(labels[0], 'normal')
  const patient = await orderOf([['low', 'low', now - 30 * MINUTE], ...flood])
  assert.equal(patient[0], 'low')
})
