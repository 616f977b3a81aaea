import { GenerateImagePayload } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import type { PoolQueues } from '../pools/queues.ts'
import type { GenerationReader } from '../generations/reader.ts'
import { jsonParserOf } from '../parser.ts'
import { onRedis } from '../redis/errors.ts'

const PAGE_SIZE = 200

interface LapsedContext {
  redis: Redis
  queues: Pick<PoolQueues, 'of' | 'names'>
  reader: GenerationReader
  signal: AbortSignal
}

const parsePayload = jsonParserOf(GenerateImagePayload)

/** Reads jobs, which puts those on record whose deadline has passed. Says whether there was one. */
const readJobs = async ({ redis, queues, reader }: LapsedContext, pool: string, ids: readonly string[]): Promise<boolean> => {
  const queue = queues.of(pool)
  const texts = await onRedis(() => Promise.all(ids.map((id) => redis.hget(queue.toKey(id), 'data'))))
  const owners = ids.map((_, position) => parsePayload(texts[position] ?? '')?.owner)
  let hasLapsed = false
  for (const owner of new Set(owners)) {
    if (owner === undefined) continue
    const snapshots = await reader.readMany(
      owner,
      ids.filter((_, position) => owners[position] === owner)
    )
    hasLapsed ||= snapshots.some(({ kind }) => kind === 'removed')
  }
  return hasLapsed
}

/**
 * Ends waiting jobs whose deadline has passed, so that they do not count as waiting while no runner is up and nobody reads
 * them. Each pass looks at the head of each queue for as long as it finds some there, and at one page further on.
 */
export const createLapsedSweep = (context: LapsedContext): (() => Promise<void>) => {
  const { redis, queues, signal } = context
  const begins = new Map<string, number>()

  const page = (pool: string, name: 'prioritized' | 'delayed', from: number) =>
    onRedis(() => redis.zrange(queues.of(pool).toKey(name), String(from), String(from + PAGE_SIZE - 1)))

  const sweepPool = async (pool: string): Promise<void> => {
    while (!signal.aborted && (await readJobs(context, pool, await page(pool, 'prioritized', 0))));
    await readJobs(context, pool, await page(pool, 'delayed', 0))
    const begin = (begins.get(pool) ?? 0) + PAGE_SIZE
    const ids = await page(pool, 'prioritized', begin)
    begins.set(pool, ids.length === 0 ? 0 : begin)
    await readJobs(context, pool, ids)
  }

  return async () => {
    for (const pool of await queues.names()) await sweepPool(pool)
  }
}
