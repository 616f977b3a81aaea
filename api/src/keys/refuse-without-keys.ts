import { redisKeys } from '@nextscale/openapi'
import { Redis } from 'ioredis'
import type { Config } from '../config.ts'
import { isLoopback } from '../loopback.ts'

const TIMEOUT_MS = 1500

/** Number of keys there are, or undefined when Redis does not answer. */
const countKeys = async ({ redisUrl, redisPrefix }: Config): Promise<number | undefined> => {
  const redis = new Redis(redisUrl, {
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
    return await redis.hlen(redisKeys(redisPrefix).apiKeys)
  } catch {
    return undefined
  } finally {
    redis.disconnect()
  }
}

/**
 * A sentence that says why the API must not listen as configured, or nothing. Beyond loopback every request needs a key, so
 * without any nobody could use it. When Redis does not answer, there may be some.
 */
export const refuseWithoutKeys = async (config: Config): Promise<string | undefined> => {
  if (config.unauthenticated === 'allow' || isLoopback(config.host)) return undefined
  if ((await countKeys(config)) !== 0) return undefined
  const command = 'npm run keys -- create --name NAME --scopes generate,read'
  return `HOST=${config.host} opens the API to other machines, which needs an API key, and there is none: make one with \`${command}\`, or set UNAUTHENTICATED=allow if everyone who can reach it may use it.`
}
