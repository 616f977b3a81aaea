import { enableCompileCache } from 'node:module'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Config } from './config.ts'

// Code compiled once is loaded the next time, without the type stripper: 20 MB less and a quicker start.
enableCompileCache()
const { plainLog, printError } = await import('@nextscale/platform/terminal')
const { pino } = await import('pino')
const { ConfigError, readConfig } = await import('./config.ts')
const { ModelError } = await import('./errors.ts')
const { startRunner } = await import('./runner.ts')

const NANOSECONDS_PER_MS = 1e6

/** Says what stops the start in one sentence; anything unforeseen keeps its stack. */
const refuse = (error: unknown): never => {
  const isForeseen = error instanceof ConfigError || error instanceof ModelError
  printError(isForeseen ? `gpu-runner: ${error.message}` : String(error instanceof Error ? error.stack : error))
  process.exit(1)
}

/** Errors of Redis carry the command, and AUTH is one: its arguments must not get into the log. */
const errorForLog = (error: Error) => {
  const { command: _command, ...rest } = pino.stdSerializers.err(error)
  return rest
}

const logStream = async ({ logFormat }: Config) => {
  if (logFormat === 'json') return pino.destination(1)
  const { default: pretty } = await import('pino-pretty')
  return plainLog(pretty({ translateTime: 'SYS:HH:MM:ss', singleLine: true }))
}

const main = async (): Promise<void> => {
  const config = readConfig()
  const log = pino({ level: config.logLevel, base: null, serializers: { err: errorForLog } }, await logStream(config))
  const runner = await startRunner(config, log)
  const lag = monitorEventLoopDelay({ resolution: 5 })
  lag.enable()

  let stopping = false
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stopping) return
    stopping = true
    lag.disable()
    log.info(
      { signal, loop_lag_p99_ms: lag.percentile(99) / NANOSECONDS_PER_MS, loop_lag_max_ms: lag.max / NANOSECONDS_PER_MS },
      'stopping'
    )
    if ((await runner.stop()) === 'stopped') return log.info('stopped')
    log.warn('Redis is away, so unfinished generations could not be handed back: they are taken up when their locks run out')
    process.exit(1)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal).catch(refuse))
}

await main().catch(refuse)
