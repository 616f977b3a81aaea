import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Environment, readRedis, readRedisUrl, readString, type RedisConfig } from '@nextscale/platform/config'

export interface RedisChoice extends RedisConfig {
  /** How the Redis was chosen, for who reads that it cannot be reached. */
  readonly source: string
}

const ROOT = resolve(import.meta.dirname, '../../..')

/** Where `npm start` keeps its data. */
export const homeOf = (env: Environment): string => resolve(ROOT, readString(env, 'NEXTSCALE_HOME') ?? '.nextscale')

/** Where `npm start` writes down the address of its private Redis for as long as that runs. */
const launcherRedis = (home: string): string | undefined => {
  try {
    return readFileSync(join(home, 'redis/url'), 'utf8').trim()
  } catch {
    return undefined
  }
}

const choose = (env: Environment): Pick<RedisChoice, 'source'> & Partial<Pick<RedisChoice, 'redisUrl'>> => {
  if (readString(env, 'REDIS_SECRET_ARN') !== undefined) return { source: 'REDIS_SECRET_ARN' }
  if (readRedisUrl(env) !== undefined)
    return { source: readString(env, 'REDIS_URL') === undefined ? 'REDIS_URL_FILE' : 'REDIS_URL' }
  const home = homeOf(env)
  const started = launcherRedis(home)
  if (started !== undefined) return { redisUrl: started, source: `npm start, whose data is in ${home}` }
  return { source: 'the default, since REDIS_URL is not set and npm start is not running' }
}

/** The Redis of the service that a command is for. Throws a ConfigError whose message is the sentence to show. */
export const chooseRedis = (env: Environment = process.env): RedisChoice => Object.freeze({ ...readRedis(env), ...choose(env) })
