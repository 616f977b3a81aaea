import type { RedisKeys } from '@nextscale/openapi'
import { lackOfCommands } from '@nextscale/platform'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'

interface AccessContext {
  redis: Redis
  keys: RedisKeys
  prefix: string
  log: FastifyBaseLogger
}

/** Looks at each connection whether its user may do what is needed, and says so where not. Returns what it lacked at the last one. */
export const watchAccess = ({ redis, keys, prefix, log }: AccessContext): (() => string | undefined) => {
  let lack: string | undefined
  const look = async () => {
    lack = await lackOfCommands(redis, keys, prefix)
    if (lack !== undefined) log.error(lack)
  }
  // Should the connection break meanwhile, the next one is looked at.
  redis.on('ready', () => void look().catch(() => undefined))
  return () => lack
}
