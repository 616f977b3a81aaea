import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RunnerMetrics } from './metrics.ts'

export interface MetricsAddress {
  host: string
  port: number
}

/** Serves GET /metrics. Returns the way to stop; fails when the address cannot be had. */
export const serveMetrics = async (metrics: RunnerMetrics, { host, port }: MetricsAddress): Promise<() => void> => {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?', 1)[0] !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('GET /metrics is all there is.\n')
      return
    }
    metrics.render().then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      () => response.writeHead(500).end()
    )
  })
  server.listen(port, host)
  await once(server, 'listening')
  return () => {
    server.close()
    server.closeAllConnections()
    metrics.close()
  }
}
