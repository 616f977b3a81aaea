import { randomUUID } from 'node:crypto'
import { DEFAULT_POOL, type RedisKeys, RUNNER_CARD_SECONDS, RunnerCard } from '@nextscale/openapi'
import { WHEN_FULL } from '@nextscale/platform'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { Compile } from 'typebox/compile'
import type { ServedModel } from './families/family.ts'
import type { Speed } from './observe/speed.ts'
import { VERSION } from '@nextscale/platform/observe'

const INTERVAL_MS = 5_000

const Card = Compile(RunnerCard)

/** Keys: the hash of cards, and the pools there are; id, card, and the name of a pool that is not the default one, with the time. */
const ANNOUNCE = `${WHEN_FULL}redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if ARGV[3] ~= '${DEFAULT_POOL}' then redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3]) end`

interface AnnouncedRunner {
  pool: string
  models: ReadonlyMap<string, ServedModel>
  maxBatch: number
  speed: Speed
}

/** Whether a card is of a runner that is gone; one that cannot be read is nobody's either. */
const isStale = (text: string, now: number): boolean => {
  try {
    const card: unknown = JSON.parse(text)
    return !Card.Check(card) || Date.parse(card.announced_at) < now - RUNNER_CARD_SECONDS * 1_000
  } catch {
    return true
  }
}

const removeStale = async (redis: Redis, key: string): Promise<void> => {
  const cards = await redis.hgetall(key)
  const stale = Object.keys(cards).filter((id) => isStale(cards[id] ?? '', Date.now()))
  if (stale.length > 0) await redis.hdel(key, ...stale)
}

/**
 * Tells of this runner every few seconds and takes out what runners that died have left. Returns the way to stop, which
 * takes its own card out.
 */
export const announceRunner = async (
  redis: Redis,
  keys: RedisKeys,
  { pool, models, maxBatch, speed }: AnnouncedRunner,
  log: Logger
): Promise<() => Promise<void>> => {
  const id = `run_${randomUUID()}`
  const startedAt = new Date().toISOString()
  let isStopped = false
  const card = (): RunnerCard => ({
    id,
    version: VERSION,
    pool,
    started_at: startedAt,
    announced_at: new Date().toISOString(),
    max_batch: maxBatch,
    models: [...models.values()].map(({ id: model, revision }) => ({ id: model, revision, ...speed.of(model) }))
  })
  const announce = async () => {
    // While Redis is away, announcements would gather and be sent all at once.
    if (isStopped || redis.status !== 'ready') return
    await redis.eval(ANNOUNCE, 2, keys.runners, keys.pools, id, JSON.stringify(card()), pool, Date.now())
    await removeStale(redis, keys.runners)
  }
  const tryToAnnounce = () => void announce().catch((error: unknown) => log.warn({ err: error }, 'could not announce the runner'))
  tryToAnnounce()
  redis.on('ready', tryToAnnounce)
  const timer = setInterval(tryToAnnounce, INTERVAL_MS)
  return async () => {
    isStopped = true
    clearInterval(timer)
    redis.off('ready', tryToAnnounce)
    if (redis.status === 'ready') await redis.hdel(keys.runners, id)
  }
}
