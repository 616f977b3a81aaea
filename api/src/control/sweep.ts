import { completeInput, GenerateImagePayload, generateImageJob, generationPrefix, type RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import type { ObjectStore } from '@nextscale/platform/object-store'
import { jsonParserOf } from '../parser.ts'
import type { PoolQueues } from '../pools/queues.ts'
import { onRedis } from '../redis/errors.ts'
import type { FoundReply } from '../redis/find-generation.ts'
import { namedReply } from '../redis/named-reply.ts'

/** Generations looked up at once, and removed at once. */
const PAGE_SIZE = 100
const TOGETHER = 8

export interface SweepContext {
  redis: Redis
  queues: Pick<PoolQueues, 'of'>
  keys: RedisKeys
  store: ObjectStore
  /** After how long one that is not finished, or could not be removed, is looked at again. */
  againMs: number
  /** Ends a pass early. */
  signal: AbortSignal
  now?: () => number
  /** Told of what could not be removed; it is tried again later. */
  onError: (id: string, error: unknown) => void
}

const parsePayload = jsonParserOf(GenerateImagePayload)

const retentionMs = (data: string): number => {
  const payload = parsePayload(data)
  return 1000 * (payload ? completeInput(payload.input).retention_seconds : generateImageJob.retentionSeconds)
}

/** When a generation may really be removed: its job knows, and none is left of one that was canceled or deleted. */
const removableAt = ({ data, finishedOn }: FoundReply, { againMs, now = Date.now }: SweepContext): number => {
  if (data === null) return 0
  return finishedOn === null ? now() + againMs : Number(finishedOn) + retentionMs(data)
}

const lookAgain = ({ redis, keys }: SweepContext, id: string, at: number) => onRedis(() => redis.zadd(keys.expiry, 'XX', at, id))

/**
 * Objects, entry, job, in this order: a failure leaves something to try again with, and of a job that is left nothing is
 * shown. Says whether it went well.
 */
const removeOne = async (context: SweepContext, id: string): Promise<boolean> => {
  const { redis, queues, keys, store, signal, againMs, now = Date.now, onError } = context
  try {
    const found = namedReply<FoundReply>(await onRedis(() => redis.findGeneration(keys.pools, id)))
    const at = removableAt(found, context)
    if (at > now()) await lookAgain(context, id, at)
    else {
      await store.remove(generationPrefix(id), signal)
      await onRedis(() => redis.zrem(keys.expiry, id))
      await onRedis(() => queues.of(found.pool).remove(id))
    }
    return true
  } catch (error) {
    if (!signal.aborted) onError(id, error)
    // One that cannot be removed must not stand in the way of the others.
    await lookAgain(context, id, now() + againMs).catch(() => undefined)
    return false
  }
}

/**
 * Removes what generations past their retention have left: objects and jobs. Several processes may do so at once. The pass
 * ends when nothing is due, or when nothing of a page could be removed.
 */
export const sweepExpired = async (context: SweepContext): Promise<void> => {
  const { redis, keys, signal, now = Date.now } = context
  while (!signal.aborted) {
    const ids = await onRedis(() => redis.zrangebyscore(keys.expiry, '-inf', now(), 'LIMIT', 0, PAGE_SIZE))
    let removed = 0
    for (let begin = 0; begin < ids.length && !signal.aborted; begin += TOGETHER) {
      const results = await Promise.all(ids.slice(begin, begin + TOGETHER).map((id) => removeOne(context, id)))
      removed += results.filter(Boolean).length
    }
    if (ids.length < PAGE_SIZE || removed === 0) return
  }
}
