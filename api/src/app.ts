import type { Writable } from 'node:stream'
import { fastify, type FastifyInstance, LogController } from 'fastify'
import type { Config } from './config.ts'
import { authentication } from './http/authentication.ts'
import { clientErrorHandler } from './http/client-errors.ts'
import { drain } from './http/drain.ts'
import { jsonBody } from './http/json-body.ts'
import { methodNotAllowed } from './http/method-not-allowed.ts'
import { problems, sendProblem } from './http/problems.ts'
import { noStreams } from './http/no-streams.ts'
import { newRequestId } from './http/request-id.ts'
import { requestLog } from './http/request-log.ts'
import { requestMetrics } from './http/request-metrics.ts'
import { requestSpans } from './http/request-spans.ts'
import { createStreamCaller } from './http/stream-caller.ts'
import { toTrustProxy } from './http/trust-proxy.ts'
import { loggedError } from './logged-error.ts'
import { revive } from './redis/revive.ts'
import { routes } from './routes/index.ts'
import { documentRoute, readDocument } from './routes/service/document.ts'
import { closeServices, openServices } from './services.ts'

/** Longer than any id, shorter than the request line: what is in between is a 404, like any unknown id. */
const MAX_PARAM_LENGTH = 8192
const KEEP_ALIVE_TIMEOUT_MS = 72_000
const REQUEST_TIMEOUT_MS = 30_000

const createServer = (config: Config, logStream: Writable | undefined): FastifyInstance => {
  const app = fastify({
    logger: { level: config.logLevel, serializers: { err: loggedError }, ...(logStream && { stream: logStream }) },
    // One logger for all requests: lines that need the request's id name it, so no child is made per request.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: newRequestId,
    bodyLimit: config.bodyLimitBytes,
    trustProxy: toTrustProxy(config.trustedProxies),
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    clientErrorHandler,
    frameworkErrors: (error, request, reply) => {
      sendProblem(request, reply, error, config.bodyLimitBytes)
    }
  })
  return app
}

export interface AppOptions {
  logStream?: Writable | undefined
  /** For a place where answers cannot be streamed and `openapi.json` does not lie beside the program. */
  buffered?: { document: string }
}

/** Traces, where they are wanted: others are spared the libraries. */
const addTracing = async (app: FastifyInstance, { tracing: config }: Config): Promise<void> => {
  if (!config) return
  const { openTracing } = await import('./tracing/open-tracing.ts')
  await app.register(requestSpans, { tracing: await openTracing(config, app.log) })
}

/** Assembles the server. Closing it ends long polls, waits for requests, then closes what was opened. */
export const buildApp = async (config: Config, { logStream, buffered }: AppOptions = {}): Promise<FastifyInstance> => {
  const app = createServer(config, logStream)
  const document = buffered?.document ?? (await readDocument())
  const services = await openServices(config, app.log)
  app.addHook('onClose', () => closeServices(services))
  await app.register(drain, services)

  await app.register(problems, { bodyLimitBytes: config.bodyLimitBytes })
  if (buffered) app.addHook('onRequest', () => revive(services.redis))
  await addTracing(app, config)
  await app.register(requestLog)
  await app.register(requestMetrics, services)
  await app.register(authentication, { ...services, streamCaller: createStreamCaller(services) })
  await app.register(jsonBody)
  await app.register(methodNotAllowed)
  if (buffered) await app.register(noStreams, config)
  for (const prefix of ['/v1', '']) await app.register(routes, { prefix, services })
  documentRoute(app, document)
  if (!buffered) {
    const { docs } = await import('./routes/service/docs.ts')
    await app.register(docs, { document, urls: config })
  }
  app.closeMethods()
  await app.ready()
  return app
}
