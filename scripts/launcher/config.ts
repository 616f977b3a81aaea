import { isAbsolute, join, resolve } from 'node:path'
import { DEFAULT_PREFIX } from '@nextscale/openapi'
import { type PoolRunner, readPools } from './pools.ts'
import { StartError } from './start-error.ts'

export const ROOT = resolve(import.meta.dirname, '../..')
export const DEFAULT_PORT = 8080

export interface LauncherConfig {
  /** Absolute path of the data directory. */
  home: string
  /** Whether the settings name a Redis; otherwise the launcher runs its own. */
  hasRedis: boolean
  redisPrefix: string
  /** Where the API listens; the same default as the API's own. */
  host: string
  /** Set when the port was asked for; otherwise the launcher may choose. */
  port: number | undefined
  /** Whether requests are taken without an API key. */
  unauthenticated: boolean
  /** The runners that are started. */
  runners: PoolRunner[]
  /** Environment every child starts from. */
  childEnv: NodeJS.ProcessEnv
}

const parsePort = (value: string | undefined): number | undefined => {
  if (value === undefined || value === '') return undefined
  const port = Number(value)
  if (!/^\d+$/.test(value) || port < 1 || port > 65_535) throw new StartError(`PORT is "${value}"; set it to 1 to 65535.`)
  return port
}

export const readConfig = (env: NodeJS.ProcessEnv = process.env): LauncherConfig => {
  const home = env['NEXTSCALE_HOME'] || '.nextscale'
  const absoluteHome = isAbsolute(home) ? home : join(ROOT, home)
  return Object.freeze({
    home: absoluteHome,
    hasRedis: ['REDIS_URL', 'REDIS_URL_FILE', 'REDIS_SECRET_ARN'].some((name) => env[name]?.trim()),
    redisPrefix: env['REDIS_PREFIX'] || DEFAULT_PREFIX,
    host: env['HOST'] || '127.0.0.1',
    port: parsePort(env['PORT']),
    unauthenticated: env['UNAUTHENTICATED'] === 'allow',
    runners: readPools(env),
    childEnv: {
      ...env,
      OBJECT_DIR: resolve(env['OBJECT_DIR'] || join(absoluteHome, 'objects')),
      CACHE_DIR: env['CACHE_DIR'] === 'none' ? 'none' : resolve(env['CACHE_DIR'] || join(absoluteHome, 'cache')),
      MODELS_CACHE_DIR: resolve(env['MODELS_CACHE_DIR'] || join(absoluteHome, 'models')),
      LOG_FORMAT: env['LOG_FORMAT'] || 'pretty'
    }
  })
}
