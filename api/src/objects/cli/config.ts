import { join } from 'node:path'
import { chooseRedis, homeOf, type RedisChoice } from '../../cli/config.ts'
import { type Config, readConfig } from '../../config.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface ObjectsConfig extends RedisChoice {
  readonly objectStore: Config['objectStore']
}

/** Redis and store of the service that a command is for. Throws a ConfigError whose message is the sentence to show. */
export const readObjectsConfig = (env: Environment = process.env): ObjectsConfig => {
  const { objectStore } = readConfig({ ...env, OBJECT_DIR: env['OBJECT_DIR'] ?? join(homeOf(env), 'objects') })
  return Object.freeze({ ...chooseRedis(env), objectStore })
}
