import { RUNNER_CARD_SECONDS, RunnerCard, type RedisKeys } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { jsonParserOf } from '../parser.ts'

const FRESH_MS = 2000

const parseCard = jsonParserOf(RunnerCard)

export interface RunnerRegistry {
  /** Cards of the runners that are up, as of a look a few seconds ago: it is made aside, so nobody waits for it. */
  cards(): readonly RunnerCard[]
}

/** What runners announce about themselves in Redis. */
export const createRunnerRegistry = (redis: Redis, keys: RedisKeys, now = Date.now): RunnerRegistry => {
  let known: readonly RunnerCard[] = []
  let lookedAt = Number.NEGATIVE_INFINITY

  const look = async () => {
    known = (await redis.hvals(keys.runners)).flatMap((text) => parseCard(text) ?? [])
  }
  // Judged at each use: what was read before Redis went away gets old all the same.
  const isUp = (card: RunnerCard) => now() - Date.parse(card.announced_at) < RUNNER_CARD_SECONDS * 1000

  return {
    cards() {
      if (now() - lookedAt >= FRESH_MS) {
        lookedAt = now()
        look().catch(() => undefined)
      }
      return known.filter(isUp)
    }
  }
}
