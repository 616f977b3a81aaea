import type { LogStream } from '@nextscale/platform/log'
import type { FastifyInstance } from 'fastify'
import { type AppParts, assembleApp } from './app.ts'
import type { Config } from './config.ts'
import { docs } from './routes/service/docs.ts'
import { readDocument } from './routes/service/document.ts'

/** Traces, where they are wanted: others are spared the libraries. */
const openTracing: AppParts['openTracing'] = async (config, log) => {
  const tracing = await import('./tracing/open-tracing.ts')
  return tracing.openTracing(config, log)
}

/** The server as a process of its own has it, with its reference and traces. */
export const buildApp = async (
  config: Config,
  { logStream }: { logStream?: LogStream | undefined } = {}
): Promise<FastifyInstance> => assembleApp(config, { logStream, document: await readDocument(), openTracing, docs })
