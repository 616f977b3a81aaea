import type { GenerationStatus, RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'
import { type Cursor, decodeCursor, encodeCursor } from './cursor.ts'
import type { Found } from './find.ts'
import type { GenerationReader } from './reader.ts'
import { isOver, settle } from './settle.ts'
import { payloadOf, type Snapshot } from './snapshot.ts'

/** Most index entries one request looks at, so that a filter that fits nothing cannot hold Redis up. */
const SCAN_LIMIT = 500
const MAX_CHUNK = 100

interface ListContext {
  redis: Redis
  keys: RedisKeys
  reader: GenerationReader
}

export interface ListQuery {
  limit: number
  cursor?: string
  status?: GenerationStatus
  model?: string
  label?: string
}

export interface Page {
  found: Found[]
  nextCursor: string | null
}

const toEntries = (flat: readonly string[]): Cursor[] => {
  const entries: Cursor[] = []
  for (let index = 0; index + 1 < flat.length; index += 2) entries.push({ id: flat[index] ?? '', score: Number(flat[index + 1]) })
  return entries
}

/** Redis orders entries of one score by id; those at or before the cursor were on an earlier page. */
const isAfter = (entry: Cursor, cursor: Cursor) =>
  entry.score < cursor.score || (entry.score === cursor.score && entry.id < cursor.id)

/** Index entries after a cursor, newest first. */
async function* scan(
  { redis, keys }: ListContext,
  owner: string,
  start: Cursor | undefined,
  chunk: number
): AsyncGenerator<Cursor[]> {
  let cursor = start
  let offset = 0
  for (;;) {
    const from = cursor?.score ?? '+inf'
    const flat = await onRedis(() =>
      redis.zrevrangebyscore(keys.index(owner), from, '-inf', 'WITHSCORES', 'LIMIT', offset, chunk)
    )
    const entries = toEntries(flat)
    const last = entries.at(-1)
    const after = cursor
    yield after === undefined ? entries : entries.filter((entry) => isAfter(entry, after))
    if (last === undefined || entries.length < chunk) return
    // A chunk of one single score is followed by offset; otherwise the last entry is the next cursor.
    offset = last.score === cursor?.score ? offset + entries.length : 0
    if (offset === 0) cursor = last
  }
}

const toFound = (snapshot: Snapshot, now: number): Found | undefined => {
  if (snapshot.kind !== 'job' && snapshot.kind !== 'removed') return undefined
  const standing = settle(snapshot)
  return isOver(snapshot, standing, now) ? undefined : { snapshot, standing }
}

const matches = ({ snapshot, standing }: Found, { status, model, label }: ListQuery): boolean => {
  const payload = payloadOf(snapshot)
  return (
    (status === undefined || standing.status === status) &&
    (model === undefined || payload.input.model === model) &&
    (label === undefined || payload.label === label)
  )
}

/** One page of an owner's generations, newest first. Entries that are gone are left out. */
export const list = async (context: ListContext, owner: string, query: ListQuery, now = Date.now()): Promise<Page> => {
  const start = query.cursor === undefined ? undefined : decodeCursor(query.cursor)
  const isFiltered = query.status !== undefined || query.model !== undefined || query.label !== undefined
  const chunk = isFiltered ? MAX_CHUNK : Math.min(MAX_CHUNK, query.limit + 1)
  const found: Found[] = []
  let scanned = 0
  let last: Cursor | undefined
  for await (const entries of scan(context, owner, start, chunk)) {
    const ids = entries.map(({ id }) => id)
    const snapshots = await context.reader.readMany(owner, ids)
    for (const [position, entry] of entries.entries()) {
      // Known only now: there is more after a full page, or after as much as one request may look at.
      if (found.length >= query.limit || scanned >= SCAN_LIMIT) return { found, nextCursor: last ? encodeCursor(last) : null }
      scanned += 1
      last = entry
      const candidate = snapshots[position] && toFound(snapshots[position], now)
      if (candidate && matches(candidate, query)) found.push(candidate)
    }
  }
  return { found, nextCursor: null }
}
