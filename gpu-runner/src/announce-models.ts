import type { RedisKeys } from '@nextscale/openapi'
import { WHEN_FULL } from '@nextscale/platform'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { modelCard } from './families/var/card.ts'
import type { OpenModel } from './families/var/model/open-model.ts'
import type { SamplerForm } from './families/var/open-sampler.ts'

const INTERVAL_MS = 30_000
/** Twenty announcements: longer than a runner that lives is ever silent. */
const REVISION_SECONDS = 600

/** Keys: the hash of cards and the card's own string; id, card. */
const ANNOUNCE = `${WHEN_FULL}
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[2], 'EX', ${REVISION_SECONDS})`

/**
 * Tells the API which models this runner serves: now, whenever Redis was lost and found again, and now and then.
 * Returns the way to stop. Announcements stay when the runner goes: the queue takes requests while no runner is up.
 */
export const announceModels = (
  redis: Redis,
  keys: RedisKeys,
  { models, form }: { models: readonly OpenModel[]; form: SamplerForm['form'] },
  log: Logger
): (() => void) => {
  const announceOne = (model: OpenModel, order: number) => {
    const { id, revision } = model.manifest
    const card = JSON.stringify(modelCard(model, { order, form }, new Date()))
    return redis.eval(ANNOUNCE, 2, keys.models, keys.modelRevision(id, revision), id, card)
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
