import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface LoadResult {
  perSecond: number
  latenciesMs: number[]
}

const HEADER_END = '\r\n\r\n'

/** Length of the answer that begins with this header, or undefined while the header is not whole. */
const answerLength = (received: string): number | undefined => {
  const headerLength = received.indexOf(HEADER_END)
  if (headerLength < 0) return undefined
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(received) ?? []
  if (!received.startsWith('HTTP/1.1 202 ') || length === undefined) throw new Error(`not accepted: ${received}`)
  return headerLength + HEADER_END.length + Number(length)
}

/** One keep-alive connection that sends the next request as soon as the last is answered. */
const runLane = async (socket: Socket, request: Buffer, deadline: number, latenciesMs: number[]): Promise<void> => {
  await once(socket, 'connect')
  await new Promise<void>((resolve, reject) => {
    let received = ''
    let sentAt = 0
    const send = () => {
      if (performance.now() > deadline) return resolve()
      received = ''
      sentAt = performance.now()
      socket.write(request)
    }
    socket.on('data', (chunk: Buffer) => {
      try {
        received += chunk.toString('latin1')
        if (received.length !== answerLength(received)) return
        latenciesMs.push(performance.now() - sentAt)
        send()
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
    socket.on('close', () => reject(new Error('the server closed the connection')))
    send()
  })
}

/**
 * Posts the same JSON body over `connections` for some seconds; every answer must be a 202. It does next to nothing per
 * request: on two cores a load generator that parses and samples takes a good part of what is to be measured.
 */
export const postRepeatedly = async (url: URL, body: string, connections: number, seconds: number): Promise<LoadResult> => {
  const head = `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
  const request = Buffer.from(head + body)
  const sockets = Array.from({ length: connections }, () =>
    connect({ host: url.hostname, port: Number(url.port), noDelay: true })
  )
  const latenciesMs: number[] = []
  const begun = performance.now()
  try {
    await Promise.all(sockets.map((socket) => runLane(socket, request, begun + seconds * 1_000, latenciesMs)))
    return { perSecond: latenciesMs.length / ((performance.now() - begun) / 1_000), latenciesMs }
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}
