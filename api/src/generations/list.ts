import type { GenerationStatus, RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { scanNewest } from '../redis/scan-newest.ts'
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
  for await (const entries of scanNewest(context.redis, context.keys.index(owner), start, chunk)) {
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
