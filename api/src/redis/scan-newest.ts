import type { Redis } from 'ioredis'
import type { Cursor } from '../generations/cursor.ts'
import { onRedis } from './errors.ts'

const toEntries = (flat: readonly string[]): Cursor[] => {
  const entries: Cursor[] = []
  for (let index = 0; index + 1 < flat.length; index += 2) entries.push({ id: flat[index] ?? '', score: Number(flat[index + 1]) })
  return entries
}

/** Redis orders entries of one score by id; those at or before the cursor were on an earlier page. */
const isAfter = (entry: Cursor, cursor: Cursor) =>
  entry.score < cursor.score || (entry.score === cursor.score && entry.id < cursor.id)

/** Entries of a sorted set after a cursor, newest first, some at a time. */
export async function* scanNewest(
  redis: Redis,
  key: string,
  start: Cursor | undefined,
  chunk: number
): AsyncGenerator<Cursor[], undefined> {
  let cursor = start
  let offset = 0
  for (;;) {
    const from = cursor?.score ?? '+inf'
    const flat = await onRedis(() => redis.zrevrangebyscore(key, from, '-inf', 'WITHSCORES', 'LIMIT', offset, chunk))
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
