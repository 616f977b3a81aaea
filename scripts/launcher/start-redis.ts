import { accessSync, constants, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { redisKeys } from '@nextscale/openapi'
import { Redis } from 'ioredis'
import { freeLoopbackPort } from './choose-port.ts'
import { StartError } from './config.ts'
import { supervise, type Supervised, type SuperviseOptions } from './supervise.ts'

const SERVERS = ['redis-server', 'valkey-server']
/** Reading a large append-only file takes a while. */
const READY_TIMEOUT_MS = 120_000
const POLL_MS = 25
const LOG_FILE = 'redis.log'
/** Holds its address while it runs, for `nextscale keys`. */
const URL_FILE = 'url'
const STOP_TIMEOUT_MS = 10_000

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

const redisArgs = (port: number) =>
  Object.entries({
    port: String(port),
    bind: '127.0.0.1',
    'protected-mode': 'yes',
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    logfile: LOG_FILE
  }).flatMap(([name, value]) => [`--${name}`, value])

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

/** Runs a Redis whose data is in `home` and that nobody else is to use. */
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
  const program = { name: 'redis' as const, command, args: redisArgs(port), cwd, env: {}, stopTimeoutMs: STOP_TIMEOUT_MS }
  const server = supervise({ program, lines, record })
  const redis = new Redis({
    host: '127.0.0.1',
    port,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => POLL_MS
  })
  redis.on('error', () => undefined)
  try {
    const outcome = await untilReady(redis, { gaveUp: server.gaveUp, stop, log: join(cwd, LOG_FILE) })
    // What runners of an earlier start announced is not served any more; today's announce themselves.
    if (outcome === 'ready') await redis.del(redisKeys(prefix).models)
  } catch (error) {
    await server.stop()
    throw error
  } finally {
    redis.disconnect()
  }
  const url = `redis://127.0.0.1:${port}`
  const urlFile = join(cwd, URL_FILE)
  writeFileSync(urlFile, `${url}\n`)
  const stopServer: Supervised['stop'] = async (force) => {
    rmSync(urlFile, { force: true })
    await server.stop(force)
  }
  return { url, server: { ...server, stop: stopServer } }
}
