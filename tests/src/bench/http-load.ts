import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'

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

interface Lane {
  request: Buffer
  deadline: number
  /** When its next request is due; absent, as soon as the last is answered. */
  nextDue?: () => number
}

/** One keep-alive connection; each latency counts from when its request was due. */
const runLane = async (socket: Socket, { request, deadline, nextDue }: Lane, latenciesMs: number[]): Promise<void> => {
  await once(socket, 'connect')
  await new Promise<void>((resolve, reject) => {
    let received = ''
    let sentAt = 0
    const send = async () => {
      const dueAt = nextDue?.() ?? performance.now()
      if (dueAt > deadline) return resolve()
      const earlyMs = dueAt - performance.now()
      if (earlyMs > 0) await setTimeout(earlyMs)
      received = ''
      // A timer is up to 1 ms late, which is not the server's doing.
      sentAt = earlyMs > 0 ? performance.now() : dueAt
      socket.write(request)
    }
    socket.on('data', (chunk: Buffer) => {
      try {
        received += chunk.toString('latin1')
        if (received.length !== answerLength(received)) return
        latenciesMs.push(performance.now() - sentAt)
        void send()
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
    socket.on('close', () => reject(new Error('the server closed the connection')))
    void send()
  })
}

/**
 * Posts the same JSON body over `connections` for some seconds, at a steady rate if one is given; every answer must be a 202. It does next to nothing per
 * request: on two cores a load generator that parses and samples takes a good part of what is to be measured.
 */
export const postRepeatedly = async (
  url: URL,
  body: string,
  connections: number,
  seconds: number,
  perSecond?: number
): Promise<LoadResult> => {
  const head = `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
  const request = Buffer.from(head + body)
  const sockets = Array.from({ length: connections }, () =>
    connect({ host: url.hostname, port: Number(url.port), noDelay: true })
  )
  const latenciesMs: number[] = []
  const begun = performance.now()
  let sent = 0
  const lane = {
    request,
    deadline: begun + seconds * 1_000,
    ...(perSecond !== undefined && { nextDue: () => begun + (sent++ * 1_000) / perSecond })
  }
  try {
    await Promise.all(sockets.map((socket) => runLane(socket, lane, latenciesMs)))
    return { perSecond: latenciesMs.length / ((performance.now() - begun) / 1_000), latenciesMs }
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}
