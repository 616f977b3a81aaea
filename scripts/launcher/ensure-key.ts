import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { type LauncherConfig, ROOT } from './config.ts'
import { StartError } from './start-error.ts'

const KEYS = join(ROOT, 'api/src/keys/cli/start.ts')
export const KEY_FILE = 'api-key'
const TIMEOUT_MS = 20_000

/** The key requests to this start need: the launcher's own, one of others that are there already, or none. */
export type StartKey = { kind: 'local'; token: string } | { kind: 'others' } | { kind: 'none' }

type Config = Pick<LauncherConfig, 'home' | 'hasRedis' | 'redisPrefix' | 'unauthenticated' | 'childEnv'>

/** Keeps a key named "local" in the data directory, and in the Redis that the API is going to use. */
export const ensureKey = (config: Config, ownRedis: Readonly<Record<string, string>>): Promise<StartKey> => {
  if (config.unauthenticated) return Promise.resolve({ kind: 'none' })
  const file = join(config.home, KEY_FILE)
  const verb = ['ensure', '--file', file, '--name', 'local', '--scopes', 'generate,read,webhooks,admin']
  // In somebody's own Redis there may be keys already, and whoever made those decides about more.
  const args = [KEYS, ...verb, ...(config.hasRedis ? ['--unless-others'] : [])]
  const env = { ...config.childEnv, ...ownRedis, REDIS_PREFIX: config.redisPrefix }
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env, timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      if (error) return reject(new StartError(stderr.trim() || `The API key could not be made: ${error.message}`))
      const token = stdout.trim()
      resolve(token === '' ? { kind: 'others' } : { kind: 'local', token })
    })
  })
}
