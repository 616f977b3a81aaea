import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedRequest {
  headers: IncomingHttpHeaders
  body: string
  /** `performance.now()` at its end. */
  at: number
}

export interface Receiver {
  readonly url: string
  readonly requests: ReceivedRequest[]
  /** What it answers with from now on: by default 204. */
  answer: (request: ReceivedRequest, response: ServerResponse) => void
  close(): void
}

/** A receiver of webhooks on loopback. */
export const openReceiver = async (): Promise<Receiver> => {
  const requests: ReceivedRequest[] = []
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const received = { headers: request.headers, body: Buffer.concat(pieces).toString(), at: performance.now() }
      requests.push(received)
      receiver.answer(received, response)
    })
    request.on('error', () => undefined)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    requests,
    answer: (_request, response) => void response.writeHead(204).end(),
    close: () => {
      server.close()
      server.closeAllConnections()
    }
  }
  return receiver
}
