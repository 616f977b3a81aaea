import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Registry } from 'prom-client'
import { ConfigError, type MetricsAddress } from '../config/index.ts'

const reasonOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error))

/**
 * Serves GET /metrics and GET /healthz of a process without an API. Returns the way to stop.
 * @throws ConfigError when the address cannot be had
 */
export const serveMetrics = async (registry: Registry, { host, port }: MetricsAddress): Promise<() => void> => {
  const server = createServer((request, response) => {
    const path = request.method === 'GET' ? request.url?.split('?', 1)[0] : undefined
    response.setHeader('x-content-type-options', 'nosniff')
    if (path === '/healthz') response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}')
    else if (path === '/metrics') {
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        () => response.writeHead(500).end()
      )
    } else response.writeHead(404, { 'content-type': 'text/plain' }).end('GET /metrics and GET /healthz are all there is.\n')
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
