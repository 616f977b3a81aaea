import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export interface SeenRequest {
  method: string
  /** Path and query. */
  url: string
  headers: IncomingMessage['headers']
  body: string
  /** When it came, on the monotonic clock. */
  atMs: number
}

/** Gives one answer. */
export type Answer = (response: ServerResponse, request: SeenRequest) => void

/** A real HTTP server that gives prepared answers in turn, the last one again and again. */
export interface StandIn extends AsyncDisposable {
  url: string
  seen: SeenRequest[]
}

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

export const startStandIn = async (...answers: Answer[]): Promise<StandIn> => {
  const seen: SeenRequest[] = []
  const server = createServer((request, response) => {
    const take = async () => {
      const body = await readBody(request)
      const atMs = performance.now()
      const arrived = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body, atMs }
      seen.push(arrived)
      const answer = answers[Math.min(seen.length, answers.length) - 1]
      if (!answer) throw new Error('the stand-in has no answer')
      answer(response, arrived)
    }
    take().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}
