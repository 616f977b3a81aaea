import { hostsOfRedisUrl } from '@nextscale/platform/config'
import { isOfCertificate, newRedis } from '@nextscale/platform'
import type { Redis } from 'ioredis'
import { CommandError } from './command.ts'
import type { RedisChoice } from './config.ts'

const TIMEOUT_MS = 5000

/** Runs some work on a connection of its own. Whatever is wrong with Redis comes out as one sentence, without passwords. */
export const withRedis = async <T>(choice: RedisChoice, work: (redis: Redis) => Promise<T>): Promise<T> => {
  const { source } = choice
  const redis = newRedis(choice, {
    lazyConnect: true,
    disconnectTimeout: 200,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null
  })
  // `connect` says only that the connection is closed; why is in the event.
  let reason: Error | undefined
  redis.on('error', (error: Error) => (reason ??= error))
  try {
    await redis.connect()
    return await work(redis)
  } catch (error) {
    if (error instanceof CommandError || error instanceof TypeError) throw error
    const cause = reason ?? error
    const message = cause instanceof Error ? cause.message : String(cause)
    const isCertificate = cause instanceof Error && isOfCertificate(cause)
    const mend = isCertificate
      ? 'Set REDIS_CA_FILE to the certificate of the authority that signed its certificate.'
      : 'Start it, or set REDIS_URL to the Redis of the API.'
    throw new CommandError(`Redis at ${hostsOfRedisUrl(choice.redisUrl)} (from ${source}) does not serve: ${message}. ${mend}`)
  } finally {
    redis.disconnect()
  }
}
