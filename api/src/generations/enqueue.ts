import type { GenerateImagePayload, QueuedWebhook, RedisKeys } from '@nextscale/openapi'
import { terminalDeliveryId } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import { runTransaction } from '../redis/run-transaction.ts'
import { addFlow, type FlowQueues } from './add-flow.ts'
import { type Addition, toJob } from './to-job.ts'
import { createIndexTrim } from './trim-index.ts'

/** Enough to share the cost of a write; more would leave Redis idle while they gather, and us while it adds them. */
const MAX_TOGETHER = 8

export interface Enqueue {
  /** `carrier` is the trace that the job goes on in. */
  (id: string, payload: GenerateImagePayload, createdAt: number, carrier?: string): Promise<void>
}

export interface EnqueueContext extends FlowQueues {
  redis: Redis
  keys: RedisKeys
}

interface Entry extends Addition {
  resolve: () => void
  reject: (error: unknown) => void
}

const isRefusal = (error: unknown) => error instanceof Error && error.name === 'ReplyError'

/** Adds a generation together with the delivery of its end and the entries of both in their owner's indexes, or nothing of it. */
const createAddAnnounced = (context: EnqueueContext) => async (addition: Addition, webhook: QueuedWebhook) => {
  const { queue, keys } = context
  const { id, payload, createdAt } = addition
  const transaction = (await queue.backend.client).multi()
  // Plain commands, for which a Redis that is full refuses the whole transaction.
  transaction.runCommand('zadd', [keys.index(payload.owner), createdAt, id])
  transaction.runCommand('zadd', [keys.deliveries(payload.owner), createdAt, terminalDeliveryId(id)])
  await addFlow(transaction, context, addition, webhook)
  await runTransaction(transaction)
}

/**
 * Adds generations to the queue and to their owner's index. Requests that arrive in one turn of the event loop are
 * written together: commands sent singly cost a quarter more in all.
 */
export const createEnqueue = (context: EnqueueContext): Enqueue => {
  const { redis, queue, keys } = context
  let gathered: Entry[] = []
  const trim = createIndexTrim(redis, keys)
  const addAnnounced = createAddAnnounced(context)

  const indexAll = async (entries: readonly Entry[]) => {
    const byOwner = Map.groupBy(entries, ({ payload }) => payload.owner)
    const commands = [...byOwner].map(([owner, own]) =>
      redis.zadd(keys.index(owner), ...own.flatMap(({ createdAt, id }) => [createdAt, id]))
    )
    await Promise.all(commands)
  }

  // Both are written before either is awaited, so they share one round trip.
  const addAll = (entries: readonly Entry[]) => Promise.all([indexAll(entries), queue.addBulk(entries.map(toJob))])

  /** Redis refused one of several: each is added again by itself, which changes nothing for those that are in. */
  const addEach = (entries: readonly Entry[]) =>
    Promise.all(entries.map((entry) => onRedis(() => addAll([entry])).then(entry.resolve, entry.reject)))

  const write = async (entries: readonly Entry[]) => {
    try {
      await onRedis(() => addAll(entries))
      for (const { resolve } of entries) resolve()
    } catch (error) {
      const cause = error instanceof Error ? (error.cause ?? error) : error
      if (entries.length > 1 && isRefusal(cause)) await addEach(entries)
      else for (const { reject } of entries) reject(error)
    }
  }

  const flush = () => {
    if (gathered.length === 0) return
    const entries = gathered
    gathered = []
    void write(entries)
  }

  return (id, payload, createdAt, carrier) => {
    trim(payload.owner, createdAt)
    const { webhook } = payload
    if (webhook) return onRedis(() => addAnnounced({ id, payload, createdAt, carrier }, webhook))
    return new Promise((resolve, reject) => {
      if (gathered.length === 0) setImmediate(flush)
      gathered.push({ id, payload, createdAt, carrier, resolve, reject })
      if (gathered.length === MAX_TOGETHER) flush()
    })
  }
}
