import type { RedisKeys } from '@nextscale/openapi'
import { SET_FIELDS } from './set-fields.ts'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { modelCard } from './model/card.ts'
import type { OpenModel } from './model/open-model.ts'
import type { SamplerForm } from './sampler/open-sampler.ts'

const INTERVAL_MS = 30_000

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
  const announce = () => {
    const cards = models.flatMap((model, order) => [
      model.manifest.id,
      JSON.stringify(modelCard(model, { order, form }, new Date()))
    ])
    redis
      .eval(SET_FIELDS, 1, keys.models, ...cards)
      .catch((error: unknown) => log.warn({ err: error }, 'could not announce the models'))
  }
  announce()
  redis.on('ready', announce)
  const timer = setInterval(announce, INTERVAL_MS)
  return () => {
    clearInterval(timer)
    redis.off('ready', announce)
  }
}
