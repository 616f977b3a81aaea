import { randomBytes } from 'node:crypto'
import { accessSync, constants, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { redisKeys } from '@nextscale/openapi'
import { Redis } from 'ioredis'
import { freeLoopbackPort } from './choose-port.ts'
import { StartError } from './start-error.ts'
import { supervise, type Supervised, type SuperviseOptions } from './supervise.ts'

const SERVERS = ['redis-server', 'valkey-server']
/** Reading a large append-only file takes a while. */
const READY_TIMEOUT_MS = 120_000
const POLL_MS = 25
const LOG_FILE = 'redis.log'
const SETTINGS_FILE = 'redis.conf'
/** Holds its address and password while it runs, for `nextscale keys`. */
const URL_FILE = 'url'
const PASSWORD_BYTES = 32
const STOP_TIMEOUT_MS = 10_000

/** Writes a file that its owner alone can read, whatever was there before. */
const writePrivate = (path: string, text: string): void => {
  rmSync(path, { force: true })
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
}

const findServer = (path: string): string => {
  for (const name of SERVERS) {
    for (const folder of path.split(delimiter)) {
      try {
        accessSync(join(folder, name), constants.X_OK)
        return join(folder, name)
      } catch {
        // Not in this folder.
      }
    }
  }
  throw new StartError('redis-server is missing. Install it, or set REDIS_URL to a Redis that is already running.')
}

/** A file and not arguments, which others can see. */
const settingsFor = (port: number, password: string): string =>
  Object.entries({
    port: String(port),
    bind: '127.0.0.1',
    'protected-mode': 'yes',
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    logfile: LOG_FILE,
    requirepass: password
  })
    .map(([name, value]) => `${name} ${value === '' ? '""' : value}\n`)
    .join('')

const untilReady = async (
  redis: Redis,
  { gaveUp, stop, log }: { gaveUp: AbortSignal; stop: AbortSignal; log: string }
): Promise<'ready' | 'stopped'> => {
  const deadline = performance.now() + READY_TIMEOUT_MS
  while (performance.now() < deadline) {
    if (gaveUp.aborted) throw new StartError(`The private Redis does not start; see ${log}.`)
    if (stop.aborted) return 'stopped'
    if ((await redis.ping().catch(() => '')) === 'PONG') return 'ready'
    await sleep(POLL_MS)
  }
  throw new StartError(`The private Redis was not ready within ${READY_TIMEOUT_MS / 1000} s; see ${log}.`)
}

/** Runs a Redis whose data is in `home`, and that takes only who knows the password drawn for this start. */
export const startRedis = async ({
  home,
  prefix,
  lines,
  record,
  stop
}: Omit<SuperviseOptions, 'program'> & { home: string; prefix: string; stop: AbortSignal }): Promise<{
  url: string
  server: Supervised
}> => {
  const cwd = join(home, 'redis')
  mkdirSync(cwd, { recursive: true })
  const port = await freeLoopbackPort()
  const command = findServer(process.env['PATH'] ?? '')
  const password = randomBytes(PASSWORD_BYTES).toString('hex')
  writePrivate(join(cwd, SETTINGS_FILE), settingsFor(port, password))
  const args = [SETTINGS_FILE]
  const program = { name: 'redis' as const, command, args, cwd, env: {}, stopTimeoutMs: STOP_TIMEOUT_MS }
  const server = supervise({ program, lines, record })
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    password,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => POLL_MS
  })
  redis.on('error', () => undefined)
  try {
    const outcome = await untilReady(redis, { gaveUp: server.gaveUp, stop, log: join(cwd, LOG_FILE) })
    // What runners of an earlier start announced is not served any more; today's announce themselves.
    const { models, offers } = redisKeys(prefix)
    if (outcome === 'ready') await redis.del(models, offers)
  } catch (error) {
    await server.stop()
    throw error
  } finally {
    redis.disconnect()
  }
  const url = `redis://:${password}@127.0.0.1:${port}`
  const urlFile = join(cwd, URL_FILE)
  writePrivate(urlFile, `${url}\n`)
  const stopServer: Supervised['stop'] = async (force) => {
    rmSync(urlFile, { force: true })
    await server.stop(force)
  }
  return { url, server: { ...server, stop: stopServer } }
}
