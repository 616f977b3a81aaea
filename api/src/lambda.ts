import { awsLambdaFastify } from '@fastify/aws-lambda'
import { openRedisAccess } from '@nextscale/platform'
import { assembleApp } from './app.ts'
import { readConfig } from './config.ts'

/** `openapi.json` as text; `bundle.ts` puts it in, since a bundle has no files beside it. */
declare const OPENAPI_DOCUMENT: string

/** The gateway gives a request up after 30 s. */
const MAX_WAIT_SECONDS = 25

const config = await openRedisAccess(readConfig())
const app = await assembleApp(
  // The gateway is the only peer, and it says by which protocol and from where the request came.
  // Whoever reaches the gateway reaches this, so keys are needed as they are beyond loopback.
  {
    ...config,
    host: '0.0.0.0',
    trustedProxies: config.trustedProxies ?? 1,
    maxWaitSeconds: MAX_WAIT_SECONDS
  },
  { document: OPENAPI_DOCUMENT, isBuffered: true }
)

const isText = (contentType: unknown) => /^text\/|[/+]json\b/.test(String(contentType))

const proxy = awsLambdaFastify(app, {
  // What stays open between invocations are the connections to Redis.
  callbackWaitsForEmptyEventLoop: false,
  decorateRequest: false,
  parseCommaSeparatedQueryParams: false,
  enforceBase64: ({ headers }) => !isText(headers['content-type'] ?? 'text/plain')
})

/** An event of API Gateway (HTTP API, payload version 2). */
interface GatewayEvent {
  headers?: Record<string, string | undefined>
}

/** The gateway hands on X-Forwarded-Host as the client sent it, so only a proxy named by TRUST_PROXY may set it. */
const withoutForwardedHost = (event: GatewayEvent): GatewayEvent => {
  if (config.trustedProxies !== undefined) return event
  const headers = Object.entries(event.headers ?? {}).filter(([name]) => name.toLowerCase() !== 'x-forwarded-host')
  return { ...event, headers: Object.fromEntries(headers) }
}

/** What Lambda calls, with `lambda.handler` as the handler's name. */
export const handler = (event: GatewayEvent, context: object): Promise<unknown> => proxy(withoutForwardedHost(event), context)
