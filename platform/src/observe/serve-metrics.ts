import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Registry } from 'prom-client'
import { ConfigError, type MetricsAddress } from '../config/index.ts'
import type { Readiness } from './readiness.ts'

const reasonOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error))

const JSON_TYPE = { 'content-type': 'application/json' }

const answer = async (path: string | undefined, registry: Registry, readiness: Readiness) => {
  switch (path) {
    case '/healthz':
      return { status: 200, headers: JSON_TYPE, body: '{"status":"ok"}' }
    case '/readyz': {
      const reason = await readiness.lack()
      if (reason === undefined) return { status: 200, headers: JSON_TYPE, body: '{"status":"ok"}' }
      return { status: 503, headers: JSON_TYPE, body: JSON.stringify({ status: 'not_ready', reason }) }
    }
    case '/metrics':
      return { status: 200, headers: { 'content-type': registry.contentType }, body: await registry.metrics() }
    default: {
      const body = 'GET /metrics, GET /healthz and GET /readyz are all there is.\n'
      return { status: 404, headers: { 'content-type': 'text/plain' }, body }
    }
  }
}

/**
 * Serves GET /metrics, and to probes GET /healthz and GET /readyz, of a process without an API. Returns the way to stop.
 * @throws ConfigError when the address cannot be had
 */
export const serveMetrics = async (
  registry: Registry,
  { host, port }: MetricsAddress,
  readiness: Readiness
): Promise<() => void> => {
  const server = createServer((request, response) => {
    const path = request.method === 'GET' ? request.url?.split('?', 1)[0] : undefined
    response.setHeader('x-content-type-options', 'nosniff')
    response.setHeader('cache-control', 'no-store')
    answer(path, registry, readiness).then(
      ({ status, headers, body }) => response.writeHead(status, headers).end(body),
      () => response.writeHead(500).end()
    )
  })
  server.listen(port, host)
  await once(server, 'listening').catch((error: unknown) => {
    throw new ConfigError(
      `Metrics cannot be served at METRICS_HOST=${host} and METRICS_PORT=${port} (${reasonOf(error)}): choose others, or unset METRICS_PORT.`
    )
  })
  return () => {
    server.close()
    server.closeAllConnections()
  }
}
