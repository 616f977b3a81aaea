import { type DestinationStream, pino } from 'pino'
import type { LogConfig } from '../config/index.ts'
import { plainLog } from '../terminal/index.ts'
import { briefLine } from './brief-line.ts'
import { loggedError } from './logged-error.ts'

/** Where log lines go, one JSON object each. */
export type LogStream = DestinationStream

/** Where log lines go that people read; undefined for JSON, which goes to stdout as it is. */
export const openLogStream = async ({ logFormat }: Pick<LogConfig, 'logFormat'>) => {
  if (logFormat === 'json') return undefined
  const { default: pretty } = await import('pino-pretty')
  const log = plainLog(pretty({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss', singleLine: true }))
  return { write: (line: string) => log.write(briefLine(line)) }
}

/** The log of a process without an HTTP server. */
export const openLog = async (config: LogConfig) => {
  const options = { level: config.logLevel, base: null, serializers: { err: loggedError } }
  return pino(options, (await openLogStream(config)) ?? pino.destination(1))
}
