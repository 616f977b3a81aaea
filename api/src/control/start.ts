import { pino } from 'pino'
import { ConfigError } from '../config-readers.ts'
import { loggedError } from '../logged-error.ts'
import { type ControlConfig, readControlConfig } from './config.ts'
import { startControl } from './control.ts'

/** How long stopping may take: a webhook request has its own deadline, and what is left is made again by another process. */
const STOP_DEADLINE_MS = 20_000

const fail = (sentence: string): never => {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}

const configure = (): ControlConfig => {
  try {
    return readControlConfig()
  } catch (error) {
    if (error instanceof ConfigError) return fail(error.message)
    throw error
  }
}

const prettyStream = async ({ logFormat }: ControlConfig) => {
  if (logFormat === 'json') return undefined
  const { default: pretty } = await import('pino-pretty')
  return pretty({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss', singleLine: true })
}

const config = configure()
const options = { level: config.logLevel, serializers: { err: loggedError } }
const stream = await prettyStream(config)
const log = stream ? pino(options, stream) : pino(options)

const control = await startControl(config, log).catch((error: unknown) => {
  const address = config.metrics && `METRICS_HOST=${config.metrics.host} and METRICS_PORT=${config.metrics.port}`
  if (error instanceof Error && 'code' in error && address !== undefined && 'syscall' in error && error.syscall === 'listen')
    return fail(`Metrics cannot be served at ${address} (${String(error.code)}): choose others, or unset METRICS_PORT.`)
  throw error
})
log.info('control ready')

let isStopping = false
const stop = (signal: NodeJS.Signals) => {
  if (isStopping) return
  isStopping = true
  log.info(`${signal}: stopping`)
  const deadline = setTimeout(() => fail(`Stopping took longer than ${STOP_DEADLINE_MS} ms; giving up.`), STOP_DEADLINE_MS)
  control.stop().then(
    () => {
      clearTimeout(deadline)
      log.info('stopped')
    },
    (error: unknown) => {
      log.error({ err: error }, 'stopping failed')
      process.exit(1)
    }
  )
}
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
