import { join } from 'node:path'
import { awaitReady } from './launcher/await-ready.ts'
import { choosePort } from './launcher/choose-port.ts'
import { DEFAULT_PORT, type LauncherConfig, readConfig, ROOT } from './launcher/config.ts'
import { StartError } from './launcher/start-error.ts'
import { ensureKey, KEY_FILE } from './launcher/ensure-key.ts'
import { firstModelOf } from './launcher/first-model.ts'
import { greet } from './launcher/greet.ts'
import { lockHome } from './launcher/lock-home.ts'
import { linePrinter } from './launcher/print-lines.ts'
import type { ProcessIdentity } from './launcher/identify-process.ts'
import { listenForStop } from './launcher/listen-for-stop.ts'
import { startRedis } from './launcher/start-redis.ts'
import { stopProcess } from './launcher/stop-process.ts'
import { type Program, supervise, type Supervised } from './launcher/supervise.ts'
import { print, printError } from '@nextscale/platform/terminal'

// What is made here, by whatever is started, is for its owner alone.
process.umask(0o077)

const LEFTOVER_TIMEOUT_MS = 10_000

const defaultModelOf = ({ runners, childEnv }: LauncherConfig) => childEnv['DEFAULT_MODEL'] || firstModelOf(runners, childEnv)

/** In the order of their start. */
const programs = (config: LauncherConfig, ownRedis: Readonly<Record<string, string>>, port: number): Program[] => {
  const program = (name: Program['name'], path: string, env: NodeJS.ProcessEnv, stopTimeoutMs: number): Program => ({
    name,
    command: process.execPath,
    args: [join(ROOT, path)],
    cwd: ROOT,
    env: { ...config.childEnv, ...ownRedis, ...env },
    stopTimeoutMs
  })
  return [
    ...config.runners.map(({ name, env }) => program(name, 'gpu-runner/src/start.ts', env, 30_000)),
    program('api', 'api/src/start.ts', { PORT: String(port), DEFAULT_MODEL: defaultModelOf(config) }, 10_000),
    // Metrics at the runner's port could not be had twice.
    program('control', 'api/src/control/start.ts', { METRICS_PORT: undefined }, 25_000)
  ]
}

/** Ends what a launcher that was killed has left running. */
const endLeftovers = async (leftovers: readonly ProcessIdentity[], say: (text: string) => void): Promise<void> => {
  if (leftovers.length > 0) say('Ending what a killed launcher has left running.')
  await Promise.all(leftovers.map((leftover) => stopProcess(leftover, { timeoutMs: LEFTOVER_TIMEOUT_MS })))
}

const baseUrl = (host: string, port: number) => {
  const reachable = ['0.0.0.0', '::', '127.0.0.1', '::1'].includes(host) ? 'localhost' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/** Starts everything, waits for Ctrl-C or a part that cannot be kept up, and stops everything in reverse. */
const launch = async (config: LauncherConfig): Promise<number> => {
  const lines = linePrinter({ speakers: config.runners.map(({ name }) => name) })
  const say = (text: string) => lines.print('launcher', text)
  const lock = lockHome(config.home)
  const { record } = lock
  const started: Supervised[] = []
  const { stop, force, dispose } = listenForStop(say)
  try {
    await endLeftovers(lock.leftovers, say)
    const port = await choosePort(config.port, config.host)
    if (config.port === undefined && port !== DEFAULT_PORT)
      say(`Port ${DEFAULT_PORT} is in use; taking ${port}. Set PORT to choose.`)
    let ownRedis = {}
    if (!config.hasRedis) {
      const redis = await startRedis({ home: config.home, prefix: config.redisPrefix, lines, record, stop })
      started.push(redis.server)
      ownRedis = { REDIS_URL: redis.url }
    }
    if (stop.aborted) return 0
    const key = await ensureKey(config, ownRedis)
    if (stop.aborted) return 0
    for (const program of programs(config, ownRedis, port)) started.push(supervise({ program, lines, record }))
    const over = AbortSignal.any([stop, ...started.map(({ gaveUp }) => gaveUp)])
    const base = baseUrl(config.host, port)
    lock.tell(base)
    if (await awaitReady(base, { signal: over, remind: (reason) => say(`Not ready yet: ${reason}.`) })) {
      print(await greet(base, key, { keyFile: join(config.home, KEY_FILE), isTerminal: process.stdout.isTTY }))
    }
    if (!over.aborted) await new Promise((resolve) => over.addEventListener('abort', resolve, { once: true }))
    return stop.aborted ? 0 : 1
  } finally {
    for (const part of started.toReversed()) await part.stop(force)
    lock.release()
    dispose()
  }
}

try {
  process.exitCode = await launch(readConfig())
} catch (error) {
  if (!(error instanceof StartError)) throw error
  printError(error.message)
  process.exitCode = 1
}
