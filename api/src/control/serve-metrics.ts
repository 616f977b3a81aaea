import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Registry } from 'prom-client'

export interface MetricsAddress {
  host: string
  port: number
}

/** Serves GET /metrics and GET /healthz. Returns the way to stop; fails when the address cannot be had. */
export const serveMetrics = async (registry: Registry, { host, port }: MetricsAddress): Promise<() => void> => {
  const server = createServer((request, response) => {
    const path = request.method === 'GET' ? request.url?.split('?', 1)[0] : undefined
    if (path === '/healthz') response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}')
    else if (path === '/metrics') {
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        () => response.writeHead(500).end()
      )
    } else response.writeHead(404).end('GET /metrics and GET /healthz are all there is.\n')
  })
  server.listen(port, host)
  await once(server, 'listening')
  return () => {
    server.close()
    server.closeAllConnections()
  }
}
