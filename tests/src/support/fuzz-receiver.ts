import { once } from 'node:events'
import { createServer } from 'node:http'

/** Answers of a receiver by the path of its URL; 204 at any other. */
const ANSWERS: Readonly<Record<string, number>> = { '/gone': 410, '/later': 503 }

export interface FuzzReceiver {
  /** Without a closing slash. */
  url: string
  close(): void
}

/** Takes webhooks in this process, or does not, as their path says. */
export const startFuzzReceiver = async (): Promise<FuzzReceiver> => {
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(ANSWERS[request.url ?? ''] ?? 204).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    }
  }
}
