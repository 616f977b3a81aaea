import { type RedisKeys, RUNNER_CARD_SECONDS, RunnerCard } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { jsonParserOf } from '../parser.ts'
import { onRedis } from '../redis/errors.ts'

const FRESH_MS = 2000

const parseCard = jsonParserOf(RunnerCard)

export interface RunnerRegistry {
  /** Cards of the runners that live. At most two seconds old. */
  cards(): Promise<readonly RunnerCard[]>
}

interface RegistryOptions {
  redis: Redis
  keys: RedisKeys
  now?: () => number
}

export const createRunnerRegistry = ({ redis, keys, now = Date.now }: RegistryOptions): RunnerRegistry => {
  let cached: { cards: RunnerCard[]; readAt: number } | undefined
  let pending: Promise<RunnerCard[]> | undefined

  const read = async () => {
    const texts = await onRedis(() => redis.hvals(keys.runners))
    const oldest = now() - RUNNER_CARD_SECONDS * 1000
    const cards = texts
      .flatMap((text) => parseCard(text) ?? [])
      .filter(({ announced_at: announcedAt }) => Date.parse(announcedAt) >= oldest)
    cached = { cards, readAt: now() }
    return cards
  }

  return {
    async cards() {
      if (cached && now() - cached.readAt < FRESH_MS) return cached.cards
      pending ??= read().finally(() => (pending = undefined))
      return pending
    }
  }
}
