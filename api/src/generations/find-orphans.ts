import { MAX_RETENTION_SECONDS, type RedisKeys } from '@nextscale/openapi'
import { FIND_JOB } from '@nextscale/platform'
import type { Redis } from 'ioredis'
import type { ObjectStore, StoredGeneration } from '@nextscale/platform/object-store'
import { onRedis } from '../redis/errors.ts'

/** Generations looked up at once. */
const PAGE_SIZE = 100

/** After it whatever a generation stored has expired, whether or not anybody still knows of the generation. */
export const SAFE_ORPHAN_SECONDS = MAX_RETENTION_SECONDS + 86_400

export interface OrphanSearch {
  redis: Redis
  keys: RedisKeys
  store: Pick<ObjectStore, 'list'>
  /** Unix time in ms: what has changed since is left alone. */
  changedBefore: number
  signal?: AbortSignal
}

const HAS_JOB = `${FIND_JOB}return redis.call('EXISTS', findJob(KEYS[1], ARGV[1]) .. ARGV[1])`

/** Those of which Redis has neither a job nor when their objects are to be removed. */
const unknownOf = async ({ redis, keys }: OrphanSearch, page: StoredGeneration[]): Promise<StoredGeneration[]> => {
  const [expiries, jobs] = await onRedis(() =>
    Promise.all([
      Promise.all(page.map(({ id }) => redis.zscore(keys.expiry, id))),
      Promise.all(page.map(({ id }) => redis.eval(HAS_JOB, 1, keys.pools, id)))
    ])
  )
  return page.filter((_, place) => expiries[place] === null && jobs[place] === 0)
}

/**
 * Walks through what a store holds of generations that Redis does not know of: because it lost its data, or because an upload came
 * when its generation had been deleted.
 */
export async function* findOrphans(search: OrphanSearch): AsyncGenerator<StoredGeneration> {
  let page: StoredGeneration[] = []
  for await (const stored of search.store.list(search.signal)) {
    if (search.signal?.aborted) return
    if (stored.changedAt >= search.changedBefore) continue
    page.push(stored)
    if (page.length < PAGE_SIZE) continue
    yield* await unknownOf(search, page)
    page = []
  }
  yield* await unknownOf(search, page)
}
