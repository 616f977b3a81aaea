import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DEFAULT_PREFIX } from '@nextscale/openapi'
import { readPattern, readString, readUrl } from '../../config-readers.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface KeysConfig {
  readonly redisUrl: string
  readonly redisPrefix: string
  /** How the Redis was chosen, for who reads that it cannot be reached. */
  readonly source: string
}

const ROOT = resolve(import.meta.dirname, '../../../..')

/** Where `npm start` writes down the address of its private Redis for as long as that runs. */
const launcherRedis = (home: string): string | undefined => {
  try {
    return readFileSync(join(home, 'redis/url'), 'utf8').trim()
  } catch {
    return undefined
  }
}

const chooseRedis = (env: Environment): Pick<KeysConfig, 'redisUrl' | 'source'> => {
  const asked = readUrl(env, 'REDIS_URL', ['redis:', 'rediss:'], { isWhole: true })
  if (asked !== undefined) return { redisUrl: asked, source: 'REDIS_URL' }
  const home = resolve(ROOT, readString(env, 'NEXTSCALE_HOME') ?? '.nextscale')
  const started = launcherRedis(home)
  if (started !== undefined) return { redisUrl: started, source: `npm start, whose data is in ${home}` }
  return { redisUrl: 'redis://127.0.0.1:6379', source: 'the default, since REDIS_URL is not set and npm start is not running' }
}

/** Reads the environment once. Throws a ConfigError whose message is the sentence to show. */
export const readKeysConfig = (env: Environment = process.env): KeysConfig =>
  Object.freeze({
    ...chooseRedis(env),
    redisPrefix: readPattern(env, 'REDIS_PREFIX', /^[a-z0-9-]+$/, 'lower-case letters, digits and "-"') ?? DEFAULT_PREFIX
  })
