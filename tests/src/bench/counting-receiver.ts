import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What has arrived since it was last asked to forget. Times in ms since 1970. */
export interface Arrivals {
  count: number
  firstAt: number
  lastAt: number
  /** Of all bodies. */
  sizeBytes: number
}

const nothing = (): Arrivals => ({ count: 0, firstAt: 0, lastAt: 0, sizeBytes: 0 })

let arrivals = nothing()

const count = (sizeBytes: number) => {
  const now = performance.timeOrigin + performance.now()
  arrivals.firstAt ||= now
  arrivals.lastAt = now
  arrivals.count++
  arrivals.sizeBytes += sizeBytes
}

const takePost = (request: IncomingMessage, response: ServerResponse) => {
  request.resume().on('end', () => {
    // Whoever posts there waits for ever.
    if (request.url === '/hang') return
    count(Number(request.headers['content-length'] ?? 0))
    response.writeHead(204).end()
  })
}

/** It does next to nothing per request, since it shares the machine with what is measured. */
const server = createServer((request, response) => {
  if (request.method === 'POST') takePost(request, response)
  else {
    if (request.method === 'DELETE') arrivals = nothing()
    response.end(JSON.stringify(arrivals))
  }
})
server.keepAliveTimeout = 60_000
server.listen(0, '0.0.0.0', () => console.log(`listening at ${(server.address() as AddressInfo).port}`))
process.on('SIGTERM', () => process.exit())
