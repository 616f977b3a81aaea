import { redisKeys } from '@nextscale/openapi'
import { lackOfCommands, newRedis } from '@nextscale/platform'
import type { Redis } from 'ioredis'
import type { Config } from './config.ts'
import { isLoopback } from './http/loopback.ts'

const TIMEOUT_MS = 1500

/** Does something with a connection that is given up soon; undefined when Redis does not answer. */
const ask = async <T>(config: Config, question: (redis: Redis) => Promise<T>): Promise<T | undefined> => {
  const redis = newRedis(config, {
    lazyConnect: true,
    disconnectTimeout: 200,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null
  })
  redis.on('error', () => undefined)
  try {
    await redis.connect()
    return await question(redis)
  } catch {
    return undefined
  } finally {
    redis.disconnect()
  }
}

/**
 * A sentence that says why the API must not start as configured, or nothing. Beyond loopback every request needs a key, so
 * without any nobody could use it. When Redis does not answer, there may be some.
 */
export const whyNotStart = async (config: Config): Promise<string | undefined> => {
  const { redisPrefix, unauthenticated, host } = config
  const keys = redisKeys(redisPrefix)
  const known = await ask(config, async (redis) => ({
    lack: await lackOfCommands(redis, keys, redisPrefix),
    count: await redis.hlen(keys.apiKeys).catch(() => undefined)
  }))
  if (known?.lack !== undefined) return known.lack
  if (unauthenticated === 'allow' || isLoopback(host) || known?.count !== 0) return undefined
  const command = 'npm run keys -- create --name NAME --scopes generate,read'
  return `HOST=${host} opens the API to other machines, which needs an API key, and there is none: make one with \`${command}\`, or set UNAUTHENTICATED=allow if everyone who can reach it may use it.`
}
