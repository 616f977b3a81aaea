import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { WebhookEvent } from '@nextscale/openapi'

export interface HookRequest {
  id: string
  headers: IncomingHttpHeaders
  text: string
  body: WebhookEvent
  /** `performance.now()` at its end. */
  at: number
}

/** A receiver of webhooks in the test itself, which can be told to misbehave. */
export interface Hook {
  url: string
  requests: HookRequest[]
  /** What it answers from now on; 204 at first. */
  answer: (request: HookRequest, response: ServerResponse) => void
  /** Those about a generation, in the order of their arrival. */
  about(generationId: string): HookRequest[]
  close(): void
}

export const createHook = async (port = 0): Promise<Hook> => {
  const requests: HookRequest[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => undefined)
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const { headers } = request
      const taken = {
        id: String(headers['webhook-id']),
        headers,
        text,
        body: JSON.parse(text) as WebhookEvent,
        at: performance.now()
      }
      requests.push(taken)
      hook.answer(taken, response)
    })
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const hook: Hook = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    requests,
    answer: (_request, response) => void response.writeHead(204).end(),
    about: (generationId) => requests.filter(({ text }) => text.includes(generationId)),
    close: () => {
      server.close()
      server.closeAllConnections()
    }
  }
  return hook
}
