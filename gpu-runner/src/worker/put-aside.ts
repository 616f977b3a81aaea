import { generateImageJob, type RedisKeys } from '@nextscale/openapi'
import { WHEN_FULL } from '@nextscale/platform'
import { Job, type Queue, type Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { keyOf, type ModelRef } from '../model/model-ref.ts'

const FIRST_DELAY_MS = 1_000
const MAX_DELAY_MS = 30_000
/** Each time some are put aside longer than others, so that they do not all come back at once. */
const SPREAD = 0.2
/** What is aside is looked at again within this time while a runner is up, so an older entry is of one that has ended. */
const FORGET_SECONDS = 120
const LOOK_INTERVAL_MS = 5_000
const PAGE_SIZE = 100
const SAY_AGAIN_MS = 60_000

/** Notes that a generation waits for a runner that serves it. It has not begun: `processedOn` is BullMQ's time of that. */
const NOTE = `${WHEN_FULL}
local aside, unserved, job, now, ref, id = KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3]
if redis.call('EXISTS', job) == 0 then return 0 end
redis.call('HDEL', job, 'processedOn')
redis.call('ZADD', aside, now, id)
redis.call('EXPIRE', aside, ${FORGET_SECONDS})
redis.call('ZADD', unserved, now, ref)
redis.call('ZREMRANGEBYSCORE', unserved, '-inf', now - ${FORGET_SECONDS * 1000})
return redis.call('HINCRBY', job, 'aside', 1)`

interface Context {
  redis: Redis
  keys: RedisKeys
  log: Logger
}

/** Leaves generations to runners that serve them. */
export interface Aside {
  /** Notes that one waits for a runner that serves `model`; resolves with the pause after which it is looked at again, in ms. */
  note(generationId: string, model: ModelRef): Promise<number>
}

export const createAside = ({ redis, keys, log }: Context, random = Math.random): Aside => {
  const saidAt = new Map<string, number>()
  const sayOnce = (model: ModelRef, generation: string) => {
    const key = keyOf(model)
    const now = performance.now()
    if (now - (saidAt.get(key) ?? Number.NEGATIVE_INFINITY) < SAY_AGAIN_MS) return
    saidAt.set(key, now)
    const { id, revision } = model
    log.warn({ model: id, revision, generation }, 'generations wait for a runner that serves this revision; this one does not')
  }
  return {
    note: async (generationId, model) => {
      sayOnce(model, generationId)
      const places = [keys.putAside(model.id, model.revision), keys.unserved, keys.job(generateImageJob.queue, generationId)]
      const times = Number(await redis.eval(NOTE, places.length, ...places, Date.now(), keyOf(model), generationId))
      const delayMs = Math.min(FIRST_DELAY_MS * 2 ** Math.max(0, times - 1), MAX_DELAY_MS)
      return Math.round(delayMs * (1 + SPREAD * random()))
    }
  }
}

/** Puts back into the queue what others have put aside and this runner serves. */
const takeBack = async ({ redis, keys }: Context, worker: Worker | Queue, model: ModelRef): Promise<void> => {
  const aside = keys.putAside(model.id, model.revision)
  for (;;) {
    const ids = await redis.zrange(aside, '0', String(PAGE_SIZE - 1))
    if (ids.length === 0) return
    // One that is not paused any more has been taken up, or has ended.
    await Promise.all(ids.map(async (id) => (await Job.fromId(worker, id))?.promote().catch(() => undefined)))
    await redis.zrem(aside, ...ids)
  }
}

/** Looks now and then for what was put aside before this runner was up. Returns the way to stop. */
export const watchAside = (context: Context, worker: Worker | Queue, models: readonly ModelRef[]): (() => void) => {
  const look = () => {
    if (context.redis.status !== 'ready') return
    for (const model of models)
      takeBack(context, worker, model).catch((error: unknown) =>
        context.log.warn({ err: error }, 'generations that were put aside could not be put back')
      )
  }
  look()
  context.redis.on('ready', look)
  const timer = setInterval(look, LOOK_INTERVAL_MS)
  return () => {
    clearInterval(timer)
    context.redis.off('ready', look)
  }
}
