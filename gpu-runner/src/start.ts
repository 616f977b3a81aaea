import { enableCompileCache } from 'node:module'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Logger } from 'pino'
import { hearStop } from '@nextscale/platform/hear-stop'
import type { Runner } from './runner.ts'

// Code compiled once is loaded the next time, without the type stripper: 20 MB less and a quicker start.
enableCompileCache()
// Models may load for minutes.
const onStop = hearStop()
const { ConfigError, WRONG_SETTING } = await import('@nextscale/platform/config')
const { openLog } = await import('@nextscale/platform/log')
const { openRedisAccess } = await import('@nextscale/platform')
const { readConfig } = await import('./config.ts')
const { printError } = await import('@nextscale/platform/terminal')
const { ModelError } = await import('./errors.ts')
const { startRunner } = await import('./runner.ts')

const NANOSECONDS_PER_MS = 1e6

/** Says what stops the start in one sentence; anything unforeseen keeps its stack. */
const refuse = (error: unknown): never => {
  const isForeseen = error instanceof ConfigError || error instanceof ModelError
  printError(isForeseen ? `gpu-runner: ${error.message}` : String(error instanceof Error ? error.stack : error))
  process.exit(isForeseen ? WRONG_SETTING : 1)
}

/** Stopping it all in order. */
const stopOf = (runner: Runner, log: Logger) => {
  const lag = monitorEventLoopDelay({ resolution: 5 })
  lag.enable()
  return async (signal: NodeJS.Signals): Promise<void> => {
    lag.disable()
    log.info(
      { signal, loop_lag_p99_ms: lag.percentile(99) / NANOSECONDS_PER_MS, loop_lag_max_ms: lag.max / NANOSECONDS_PER_MS },
      'stopping'
    )
    if ((await runner.stop()) === 'stopped') return log.info('stopped')
    log.warn('Redis is away, so unfinished generations could not be handed back: they are taken up when their locks run out')
    process.exit(1)
  }
}

const main = async (): Promise<void> => {
  const config = await openRedisAccess(readConfig())
  const log = await openLog(config)
  const stop = stopOf(await startRunner(config, log), log)
  let isStopping = false
  onStop((signal) => {
    if (isStopping) return
    isStopping = true
    stop(signal).catch(refuse)
  })
}

await main().catch(refuse)
