import { type DeliveryStatus, type RedisKeys, terminalDeliveryId } from '@nextscale/openapi'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { type Cursor, decodeCursor, encodeCursor } from '../generations/cursor.ts'
import { scanNewest } from '../redis/scan-newest.ts'
import type { DeliveryReader, DeliverySnapshot } from './delivery-snapshot.ts'
import { isShown } from './find-delivery.ts'

/** Most index entries one request looks at, so that a filter that fits nothing cannot hold Redis up. */
const SCAN_LIMIT = 500
const MAX_CHUNK = 100
/** Whoever adds a delivery may put it into the index first. */
const SETTLED_MS = 60_000

interface ListContext {
  redis: Redis
  keys: RedisKeys
  deliveries: DeliveryReader
  deliveryQueue: Queue
}

export interface ListQuery {
  limit: number
  cursor?: string
  generation_id?: string
  status?: DeliveryStatus
}

export interface Page {
  found: DeliverySnapshot[]
  nextCursor: string | null
}

/** Those of one generation: of its events on the way, newest first, and at last that of its end, which was made with it. */
async function* scanGeneration({ redis, keys }: ListContext, id: string, start: Cursor | undefined, chunk: number) {
  const end = { score: 0, id: terminalDeliveryId(id) }
  if (start?.id === end.id) return
  yield* scanNewest(redis, keys.liveDeliveries(id), start, chunk)
  yield [end]
}

/** Takes entries out of the owner's index whose job is gone; in the background, since nothing depends on when. */
const forgetGone = async ({ redis, keys, deliveryQueue }: ListContext, owner: string, ids: readonly string[]): Promise<void> => {
  const isThere = await Promise.all(ids.map((id) => redis.exists(deliveryQueue.toKey(id))))
  const gone = ids.filter((_, position) => isThere[position] === 0)
  if (gone.length > 0) await redis.zrem(keys.deliveries(owner), ...gone)
}

/** One page of an owner's deliveries, newest first. Entries that are gone are left out, and out of the index from then on. */
export const listDeliveries = async (context: ListContext, owner: string, query: ListQuery, now = Date.now()): Promise<Page> => {
  const { limit, generation_id: generationId, status } = query
  const start = query.cursor === undefined ? undefined : decodeCursor(query.cursor, 'delivery')
  const chunk = status === undefined ? Math.min(MAX_CHUNK, limit + 1) : MAX_CHUNK
  const scanned = generationId
    ? scanGeneration(context, generationId, start, chunk)
    : scanNewest(context.redis, context.keys.deliveries(owner), start, chunk)
  const found: DeliverySnapshot[] = []
  let seen = 0
  let last: Cursor | undefined
  for await (const entries of scanned) {
    const snapshots = await context.deliveries.readMany(entries.map(({ id }) => id))
    const missing = entries.filter(({ score }, position) => snapshots[position] === undefined && score < now - SETTLED_MS)
    forgetGone(
      context,
      owner,
      missing.map(({ id }) => id)
    ).catch(() => undefined)
    for (const [position, entry] of entries.entries()) {
      // Known only now: there is more after a full page, or after as much as one request may look at.
      if (found.length >= limit || seen >= SCAN_LIMIT) return { found, nextCursor: last ? encodeCursor(last) : null }
      seen += 1
      last = entry
      const snapshot = snapshots[position]
      if (isShown(snapshot, owner, now) && (status === undefined || snapshot.status === status)) found.push(snapshot)
    }
  }
  return { found, nextCursor: null }
}
