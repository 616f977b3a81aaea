import { queueOfPool, type RedisKeys, RUNNER_CARD_SECONDS, RunnerCard } from '@nextscale/openapi'
import { FIND_JOB, MOVE_JOB, QUEUE_KEYS, WHEN_FULL } from '@nextscale/platform'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { Compile } from 'typebox/compile'
import { keyOf, type ModelRef } from '../model/model-ref.ts'

/** Where a runner that lives serves it, who does not gets out of its way: it may get the generation a few times more. */
const HAND_ON_MS = 50
const FIRST_DELAY_MS = 1_000
const MAX_DELAY_MS = 30_000
/** Each time some are put aside longer than others, so that they do not all come back at once. */
const SPREAD = 0.2
/** What is aside is looked at again within this time while a runner is up, so an older entry is of one that has ended. */
const FORGET_SECONDS = 120
const LOOK_INTERVAL_MS = 5_000
const PAGE_SIZE = 100
const SAY_AGAIN_MS = 60_000
const SERVED_FRESH_MS = 500

/** Notes that a generation waits for a runner that serves it. It has not begun: `processedOn` is BullMQ's time of that. */
const NOTE = `${WHEN_FULL}
local aside, unserved, job, now, ref, id, isServed = KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
if redis.call('EXISTS', job) == 0 then return 0 end
redis.call('HDEL', job, 'processedOn')
redis.call('ZADD', aside, now, id)
redis.call('EXPIRE', aside, ${FORGET_SECONDS})
if not isServed then redis.call('ZADD', unserved, now, ref) end
redis.call('ZREMRANGEBYSCORE', unserved, '-inf', now - ${FORGET_SECONDS * 1000})
return redis.call('HINCRBY', job, 'aside', 1)`

/**
 * Puts into a pool's queue, to be taken now, those of some generations that are put off, in the queue of whichever pool. Who is served
 * is no longer listed.
 */
const TAKE_BACK = `${WHEN_FULL}${FIND_JOB}${MOVE_JOB}
local aside, pools, to, delayed = KEYS[1], KEYS[2], queueBase(KEYS[2], ARGV[1]), ARGV[2]
for i = 3, #ARGV do
  local from = findJob(pools, ARGV[i])
  -- One that is not paused any more has been taken up, or has ended.
  if redis.call('ZSCORE', from .. delayed, ARGV[i]) then moveJob(from, to, ARGV[i], true) end
  redis.call('ZREM', aside, ARGV[i])
end`

interface Context {
  redis: Redis
  keys: RedisKeys
  /** Whose queue the runner takes from. */
  pool: string
  log: Logger
}

/** Leaves generations to runners that serve them. */
export interface Aside {
  /** Notes that one waits for a runner that serves `model`: after what pause it is looked at again, and whether there is one. */
  note(generationId: string, model: ModelRef): Promise<{ delayMs: number; isServed: boolean }>
}

const Card = Compile(RunnerCard)

/** Whether a runner that lives serves a model, as was read at most half a second ago. */
const createServedLook = (redis: Redis, keys: RedisKeys) => {
  let known: ReadonlySet<string> = new Set()
  let readAt = Number.NEGATIVE_INFINITY
  const read = async () => {
    const oldest = Date.now() - RUNNER_CARD_SECONDS * 1_000
    const cards = (await redis.hvals(keys.runners)).flatMap((text) => asCard(text) ?? [])
    const live = cards.filter(({ announced_at: at }) => Date.parse(at) >= oldest)
    known = new Set(live.flatMap(({ models }) => models.map(({ id, revision = '' }) => keyOf({ id, revision }))))
    readAt = performance.now()
  }
  return async (model: ModelRef): Promise<boolean> => {
    if (performance.now() - readAt > SERVED_FRESH_MS) await read()
    return known.has(keyOf(model))
  }
}

const asCard = (text: string): RunnerCard | undefined => {
  try {
    const card: unknown = JSON.parse(text)
    return Card.Check(card) ? card : undefined
  } catch {
    return undefined
  }
}

export const createAside = ({ redis, keys, pool, log }: Context, random = Math.random): Aside => {
  const saidAt = new Map<string, number>()
  const served = createServedLook(redis, keys)
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
      const isServed = await served(model)
      if (!isServed) sayOnce(model, generationId)
      const places = [keys.putAside(model.id, model.revision), keys.unserved, keys.job(queueOfPool(pool), generationId)]
      const times = Number(
        await redis.eval(NOTE, places.length, ...places, Date.now(), keyOf(model), generationId, isServed ? 1 : 0)
      )
      const delayMs = isServed ? HAND_ON_MS : Math.min(FIRST_DELAY_MS * 2 ** Math.max(0, times - 1), MAX_DELAY_MS)
      return { delayMs: Math.round(delayMs * (1 + SPREAD * random())), isServed }
    }
  }
}

/** Puts into the queue of this runner's pool what was put aside and this runner serves. */
const takeBack = async ({ redis, keys, pool }: Context, model: ModelRef): Promise<void> => {
  const aside = keys.putAside(model.id, model.revision)
  await redis.zrem(keys.unserved, keyOf(model))
  for (;;) {
    const ids = await redis.zrange(aside, '0', String(PAGE_SIZE - 1))
    if (ids.length === 0) return
    await redis.eval(TAKE_BACK, 2, aside, keys.pools, pool, QUEUE_KEYS.delayed, ...ids)
  }
}

/** Looks now and then for what was put aside before this runner was up. Returns the way to stop. */
export const watchAside = (context: Context, models: readonly ModelRef[]): (() => void) => {
  const look = () => {
    if (context.redis.status !== 'ready') return
    for (const model of models)
      takeBack(context, model).catch((error: unknown) =>
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
