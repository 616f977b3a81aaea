import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

const DEADLINE_MS = 10_000

export interface RawAnswer {
  statusCode: number
  /** By their lower-case names. */
  headers: Record<string, string>
  body: string
}

const parse = (text: string): RawAnswer => {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(lines.map((line) => line.split(': ', 2))) as Record<string, string>
  return { statusCode: Number(statusLine.split(' ')[1]), headers, body: rest.join('\r\n\r\n') }
}

/** Port the server listens at, from the first call on. */
export const portOf = async (app: FastifyInstance): Promise<number> => {
  if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  return address.port
}

/** Connects and keeps what comes back; the promise resolves with it when the server has closed the connection. */
export const openRaw = async (app: FastifyInstance): Promise<{ socket: Socket; closed: Promise<string> }> => {
  const socket = connect(await portOf(app), '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  const closed = new Promise<string>((resolve, reject) => {
    socket.on('close', () => resolve(text))
    // What the server has to say may be followed by a reset, as long as the client goes on sending.
    socket.on('error', (error) => (text === '' ? reject(error) : undefined))
    AbortSignal.timeout(DEADLINE_MS).addEventListener('abort', () => {
      reject(new Error(`The server did not close within ${DEADLINE_MS} ms; it said: ${text}`))
      socket.destroy()
    })
  })
  return { socket, closed }
}

/** Sends bytes as they are, with a pause after each piece, and returns the one answer, after which the connection must close. */
export const sendRaw = async (app: FastifyInstance, ...pieces: (string | Buffer)[]): Promise<RawAnswer> => {
  const { socket, closed } = await openRaw(app)
  for (const [at, piece] of pieces.entries()) {
    if (at > 0) await sleep(20)
    socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)
  }
  return parse(await closed)
}
