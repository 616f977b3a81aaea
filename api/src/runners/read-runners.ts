import { type RedisKeys, RUNNER_CARD_SECONDS, RunnerCard } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { jsonParserOf } from '../contract/parser.ts'
import { onRedis } from '../redis/errors.ts'

const FRESH_MS = 500

const parseCard = jsonParserOf(RunnerCard)

export interface RunnerRegistry {
  /** Cards of the runners that live. At most half a second old. */
  cards(): Promise<readonly RunnerCard[]>
  /** The same as of a look that may be a few seconds older: nobody waits for it. */
  lastCards(): readonly RunnerCard[]
  /** Whether there was a look yet. */
  hasLooked(): boolean
}

interface RegistryOptions {
  redis: Redis
  keys: RedisKeys
  now?: () => number
}

/** What runners announce about themselves in Redis. */
export const createRunnerRegistry = ({ redis, keys, now = Date.now }: RegistryOptions): RunnerRegistry => {
  let known: readonly RunnerCard[] = []
  let readAt = Number.NEGATIVE_INFINITY
  let askedAt = Number.NEGATIVE_INFINITY
  let pending: Promise<void> | undefined

  const read = async () => {
    known = (await onRedis(() => redis.hvals(keys.runners))).flatMap((text) => parseCard(text) ?? [])
    readAt = now()
  }
  const look = () => {
    askedAt = now()
    pending ??= read().finally(() => (pending = undefined))
    return pending
  }
  // Judged at each use: what was read before Redis went away gets old all the same.
  const alive = () => {
    const oldest = now() - RUNNER_CARD_SECONDS * 1000
    return known.filter(({ announced_at: announcedAt }) => Date.parse(announcedAt) >= oldest)
  }

  return {
    cards: async () => {
      if (now() - readAt >= FRESH_MS) await look()
      return alive()
    },
    hasLooked: () => Number.isFinite(readAt),
    lastCards: () => {
      if (now() - askedAt >= FRESH_MS) look().catch(() => undefined)
      return alive()
    }
  }
}
