import type { RedisKeys, ServiceStatus } from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { onRedis } from '../redis/errors.ts'

/** A runner that is up looks at what it has put aside more often than this. */
const FRESH_MS = 90_000

const parse = (ref: string) => {
  const end = ref.indexOf('@')
  return { model: ref.slice(0, end), revision: ref.slice(end + 1) }
}

/** Revisions of models that generations wait for, since no runner that looked at them lately serves them. */
export const readUnserved = async (
  { redis, keys }: { redis: Redis; keys: RedisKeys },
  now = Date.now()
): Promise<ServiceStatus['unserved']> =>
  onRedis(async () => {
    const refs = (await redis.zrangebyscore(keys.unserved, now - FRESH_MS, '+inf')).map(parse)
    const counted = await Promise.all(
      refs.map(async ({ model, revision }) => ({
        model,
        revision,
        waiting: await redis.zcount(keys.putAside(model, revision), now - FRESH_MS, '+inf')
      }))
    )
    return counted.filter(({ waiting }) => waiting > 0)
  })
