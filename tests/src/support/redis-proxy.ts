import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Stands between one process and Redis, so that the process can be ended at an exact point of what it tells Redis. */
export interface RedisProxy {
  url: string
  /**
   * From now on lets so many pieces of what the process writes through, then nothing more. Calls back at that point. A
   * piece is what one write brought: some commands, never a part of one of ours.
   */
  cutAfter(pieces: number, reached: () => void): void
  /** Lets everything through, for the next process. */
  heal(): void
  /** Pieces let through since `cutAfter`. */
  passed(): number
  close(): void
}

export const createRedisProxy = async (redisUrl: string): Promise<RedisProxy> => {
  const { hostname, port } = new URL(redisUrl)
  const sockets = new Set<Socket>()
  let left = Number.POSITIVE_INFINITY
  let passed = 0
  let reached: () => void = () => undefined
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (piece) => {
      if (left <= 0) return
      left -= 1
      passed += 1
      upstream.write(piece)
      if (left === 0) reached()
    })
    upstream.on('data', (piece) => left > 0 && client.write(piece))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutAfter: (pieces, onReached) => {
      left = pieces
      passed = 0
      reached = onReached
      if (pieces === 0) onReached()
    },
    heal: () => {
      left = Number.POSITIVE_INFINITY
    },
    passed: () => passed,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    }
  }
}
