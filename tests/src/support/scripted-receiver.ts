import type { WebhookEvent } from '@nextscale/openapi'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as a receiver of webhooks takes it. */
export interface Received {
  /** Its `webhook-id`. */
  id: string
  headers: IncomingHttpHeaders
  /** The body as it came, which is what is signed. */
  text: string
  event: WebhookEvent
  /** When it was there, in Unix ms. */
  at: number
}

/** What a receiver does with a request. */
export type Behaviour = (response: ServerResponse) => void

/** Answers after a while. */
export const answer =
  (
    status: number,
    { headers = {}, body = '', delayMs = 0 }: { headers?: object; body?: string; delayMs?: number } = {}
  ): Behaviour =>
  (response) =>
    void setTimeout(() => response.writeHead(status, { ...headers }).end(body), delayMs)

/** Takes the request and never answers. */
export const hang: Behaviour = () => undefined

/** Closes the connection in the middle of things. */
export const reset: Behaviour = (response) => void response.socket?.resetAndDestroy()

/** Answers with a body that has no end. */
export const endless =
  (status: number): Behaviour =>
  (response) => {
    response.writeHead(status)
    const timer = setInterval(() => response.write('x'.repeat(16_384)), 1)
    response.on('close', () => clearInterval(timer))
  }

/** A receiver of webhooks in the test itself, which misbehaves as it is told. */
export interface ScriptedReceiver {
  readonly url: string
  readonly received: Received[]
  /** What it does with the next requests, one each. */
  script: Behaviour[]
  /** What it does with those after them; 204 at first. */
  otherwise: Behaviour
  /** Requests that tell of a generation, first to last. */
  about(generationId: string): Received[]
  /** Closes its port: connections are refused until it is started again, at the same port. */
  stop(): Promise<void>
  start(): Promise<void>
}

const readText = async (chunks: AsyncIterable<unknown>): Promise<string> => {
  const parts: Buffer[] = []
  for await (const chunk of chunks) parts.push(chunk as Buffer)
  return Buffer.concat(parts).toString()
}

export const startScriptedReceiver = async (): Promise<ScriptedReceiver> => {
  let server: Server | undefined
  let port = 0
  const received: Received[] = []
  const start = async () => {
    server = createServer((request, response) => {
      const take = async () => {
        const text = await readText(request)
        const id = String(request.headers['webhook-id'])
        received.push({ id, headers: request.headers, text, event: JSON.parse(text) as WebhookEvent, at: Date.now() })
        const behave = receiver.script.shift() ?? receiver.otherwise
        behave(response)
      }
      // A sender that went away has nothing more to say.
      take().catch(() => response.destroy())
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    ;({ port } = server.address() as AddressInfo)
  }
  const receiver: ScriptedReceiver = {
    get url() {
      return `http://127.0.0.1:${port}/hook`
    },
    received,
    script: [],
    otherwise: answer(204),
    about: (generationId) => received.filter(({ text }) => text.includes(generationId)),
    start,
    stop: async () => {
      if (!server?.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
  await start()
  return receiver
}
