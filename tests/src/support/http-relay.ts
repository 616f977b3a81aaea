import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void

export interface RelayOptions {
  /** Taken off the paths of requests; what has it not is not handed on. */
  prefix?: string
  /** What a proxy does to an answer on its way. */
  middleware?: Middleware
  /** Changes the headers of an answer. */
  rewrite?: (headers: IncomingMessage['headers']) => IncomingMessage['headers']
  /** Called with each piece of an answer, and undefined at its end; returning true cuts the connection once the client has it. */
  seen?: (piece: string | undefined) => boolean | void
}

export interface Relay {
  /** Without a closing slash, and without the prefix. */
  url: string
  /** `method path` of each request, as it came. */
  requests: string[]
  close(): void
}

/** A proxy before a server: one connection each way per request, nothing changed but what the options say. */
export const openRelay = async (target: string, options: RelayOptions = {}): Promise<Relay> => {
  const { prefix = '', middleware = (_request, _response, next) => next(), rewrite = (headers) => headers, seen } = options
  const requests: string[] = []
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method, headers, url = '/' } = incoming
    const path = url.slice(prefix.length)
    const upstream = request(target, { method, headers, path: path.startsWith('/') ? path : `/${path}`, agent: false })
    upstream.on('response', (answer) => {
      // The client has left by now.
      if (outgoing.destroyed) return void upstream.destroy()
      outgoing.writeHead(answer.statusCode ?? 502, rewrite(answer.headers))
      answer.on('data', (piece: Buffer) => {
        const isLast = seen?.(piece.toString()) === true
        outgoing.write(piece, () => isLast && outgoing.destroy())
      })
      answer.on('end', () => {
        seen?.(undefined)
        outgoing.end()
      })
    })
    outgoing.on('close', () => upstream.destroy())
    upstream.on('error', () => outgoing.destroy())
    incoming.pipe(upstream)
  }
  const server = createServer((incoming, outgoing) => {
    const { method, url = '/' } = incoming
    requests.push(`${method} ${url}`)
    if (url.startsWith(prefix)) middleware(incoming, outgoing, () => forward(incoming, outgoing))
    else outgoing.writeHead(404).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    close: () => {
      server.closeAllConnections()
      server.close()
    }
  }
}
