import { type AnnouncedCard, poolEntry, type RedisKeys } from '@nextscale/openapi'
import { WHEN_FULL } from '@nextscale/platform'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import type { ServedModel } from './families/family.ts'
import type { SamplerForm } from './sampler/sampler-form.ts'
import { keyOf } from './model/model-ref.ts'

const INTERVAL_MS = 30_000
/** Twenty announcements: longer than a runner that lives is ever silent. */
const REVISION_SECONDS = 600

/** Keys: the hash of cards, the card's own string, the revisions there were, and what pools offer; id, card, revision, time, and the entry. */
const ANNOUNCE = `${WHEN_FULL}
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[2], 'EX', ${REVISION_SECONDS})
redis.call('ZADD', KEYS[3], 'NX', ARGV[4], ARGV[3])
redis.call('ZADD', KEYS[4], ARGV[4], ARGV[5])`

interface AnnouncedModels {
  models: readonly ServedModel[]
  form: SamplerForm['form']
  /** Whose runners offer them. */
  pool: string
}

/**
 * Tells the API which models this runner serves: now, whenever Redis was lost and found again, and now and then.
 * Returns the way to stop. Announcements stay when the runner goes: the queue takes requests while no runner is up.
 */
export const announceModels = (
  redis: Redis,
  keys: RedisKeys,
  { models, form, pool }: AnnouncedModels,
  log: Logger
): (() => void) => {
  const announceOne = (model: ServedModel, order: number) => {
    const { id, revision } = model
    const { capabilities, ...card } = model.card(form)
    const announced: AnnouncedCard = { ...card, capabilities: [...capabilities], order, announced_at: new Date().toISOString() }
    const places = [keys.models, keys.modelRevision(id, revision), keys.revisions, keys.offers]
    const values = [id, JSON.stringify(announced), keyOf({ id, revision }), Date.now(), poolEntry(pool, id, revision)]
    return redis.eval(ANNOUNCE, places.length, ...places, ...values)
  }
  const announce = () =>
    void Promise.all(models.map(announceOne)).catch((error: unknown) => log.warn({ err: error }, 'could not announce the models'))
  announce()
  redis.on('ready', announce)
  const timer = setInterval(announce, INTERVAL_MS)
  return () => {
    clearInterval(timer)
    redis.off('ready', announce)
  }
}
