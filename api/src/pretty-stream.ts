import { plainLog } from '@nextscale/platform/terminal'
import type { Config } from './config.ts'

/** Where log lines go that people read; undefined for JSON, which goes to stdout as it is. */
export const prettyStream = async ({ logFormat }: Pick<Config, 'logFormat'>) => {
  if (logFormat === 'json') return undefined
  const { default: pretty } = await import('pino-pretty')
  return plainLog(pretty({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss', singleLine: true }))
}
