import type { LogStream } from '@nextscale/platform/log'
import { fastify, type FastifyBaseLogger, type FastifyInstance, type FastifyPluginCallback, LogController } from 'fastify'
import type { TracingConfig } from '@nextscale/platform/config'
import type { Config } from './config.ts'
import { authentication } from './http/authentication.ts'
import { createClientErrors } from './http/client-errors.ts'
import { commonHeaders } from './http/common-headers.ts'
import { confirmed } from './http/confirmed.ts'
import { cors } from './http/cors.ts'
import { drain } from './http/drain.ts'
import { jsonBody } from './http/json-body.ts'
import { methodNotAllowed } from './http/method-not-allowed.ts'
import { problems, sendProblem } from './http/problems.ts'
import { noStreams } from './http/no-streams.ts'
import { newRequestId } from './http/request-id.ts'
import { requestLog } from './http/request-log.ts'
import { requestMetrics } from './http/request-metrics.ts'
import { requestSpans } from './http/request-spans.ts'
import { routeNotFound } from './http/route-not-found.ts'
import { createStreamCaller } from './http/stream-caller.ts'
import { toTrustProxy } from './http/trust-proxy.ts'
import { schemaCompilers } from './http/validation.ts'
import { wellFormed } from './http/well-formed.ts'
import { loggedError } from '@nextscale/platform/observe'
import { revive } from './redis/revive.ts'
import { routes } from './routes/index.ts'
import type { DocsOptions } from './routes/service/docs.ts'
import { documentRoute } from './routes/service/document.ts'
import { closeServices, openServices } from './services.ts'
import type { Tracing } from './tracing/request-trace.ts'

/** Longer than any id, shorter than the request line: what is in between is a 404, like any unknown id. */
const MAX_PARAM_LENGTH = 8192
const KEEP_ALIVE_TIMEOUT_MS = 72_000
/** How often requests that take too long are looked for. */
const TIMEOUT_CHECK_MS = 1000

const createServer = (config: Config, logStream: LogStream | undefined): FastifyInstance => {
  const clientErrors = createClientErrors()
  const { requestTimeoutMs: requestTimeout } = config
  const app = fastify({
    logger: { level: config.logLevel, serializers: { err: loggedError }, ...(logStream && { stream: logStream }) },
    // One logger for all requests: lines that need the request's id name it, so no child is made per request.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: newRequestId,
    bodyLimit: config.bodyLimitBytes,
    trustProxy: toTrustProxy(config.trustedProxies),
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    requestTimeout,
    http: {
      requestTimeout,
      // Unset, it is a minute, and the longer of the two counts.
      headersTimeout: requestTimeout,
      connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, requestTimeout),
      // `wellFormed` says what is missing; Node would answer without a word.
      requireHostHeader: false
    },
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    schemaController: { compilersFactory: schemaCompilers },
    clientErrorHandler: clientErrors.handle,
    frameworkErrors: (error, request, reply) => {
      sendProblem(request, reply, error, config.bodyLimitBytes)
    }
  })
  clientErrors.watch(app)
  return app
}

/** What a server is made with beside its configuration. */
export interface AppParts {
  logStream?: LogStream | undefined
  /** `openapi.json` as text. */
  document: string
  /** Answers are handed over whole, by a process that may be frozen between requests. */
  isBuffered?: boolean
  /** The way to make traces, for where they are wanted. */
  openTracing?: ((config: TracingConfig, log: FastifyBaseLogger) => Promise<Tracing>) | undefined
  /** The reference of the contract. */
  docs?: FastifyPluginCallback<DocsOptions> | undefined
}

/** Assembles the server. Closing it ends long polls, waits for requests, then closes what was opened. */
export const assembleApp = async (config: Config, parts: AppParts): Promise<FastifyInstance> => {
  const { logStream, document, isBuffered = false, openTracing, docs } = parts
  const app = createServer(config, logStream)
  const services = await openServices(config, app.log)
  app.addHook('onClose', () => closeServices(services))
  await app.register(drain, services)

  await app.register(problems, { bodyLimitBytes: config.bodyLimitBytes })
  await app.register(confirmed, services)
  await app.register(commonHeaders)
  await app.register(requestLog)
  await app.register(cors, config)
  await app.register(wellFormed)
  await app.register(routeNotFound)
  if (isBuffered) app.addHook('onRequest', () => revive(services.redis))
  if (openTracing && config.tracing) await app.register(requestSpans, { tracing: await openTracing(config.tracing, app.log) })
  await app.register(requestMetrics, services)
  await app.register(authentication, { ...services, streamCaller: createStreamCaller(services) })
  await app.register(jsonBody)
  await app.register(methodNotAllowed)
  if (isBuffered) await app.register(noStreams, config)
  for (const prefix of ['/v1', '']) await app.register(routes, { prefix, services })
  documentRoute(app, document, config)
  if (docs) await app.register(docs, { document, urls: config })
  app.closeMethods()
  await app.ready()
  return app
}
