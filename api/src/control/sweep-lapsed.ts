import { GenerateImagePayload } from '@nextscale/openapi'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { GenerationReader } from '../generations/reader.ts'
import { jsonParserOf } from '../parser.ts'
import { onRedis } from '../redis/errors.ts'

const PAGE_SIZE = 200

interface LapsedContext {
  redis: Redis
  queue: Queue<GenerateImagePayload>
  reader: GenerationReader
  signal: AbortSignal
}

const parsePayload = jsonParserOf(GenerateImagePayload)

/** Reads jobs, which puts those on record whose deadline has passed. Says whether there was one. */
const readJobs = async ({ redis, queue, reader }: LapsedContext, ids: readonly string[]): Promise<boolean> => {
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
 * them. Each pass looks at the head of the queue for as long as it finds some there, and at one page further on.
 */
export const createLapsedSweep = (context: LapsedContext): (() => Promise<void>) => {
  const { redis, queue, signal } = context
  let begin = 0

  const page = (name: 'prioritized' | 'delayed', from: number) =>
    onRedis(() => redis.zrange(queue.toKey(name), String(from), String(from + PAGE_SIZE - 1)))

  return async () => {
    while (!signal.aborted && (await readJobs(context, await page('prioritized', 0))));
    await readJobs(context, await page('delayed', 0))
    const ids = await page('prioritized', (begin += PAGE_SIZE))
    if (ids.length === 0) begin = 0
    await readJobs(context, ids)
  }
}
