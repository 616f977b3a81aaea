import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** On which side of a command a process is stopped: before Redis gets it, or after Redis did it and before its reply. */
export type Side = 'before' | 'after'

export interface StopPoint {
  nth: number
  side: Side
  /** Counted is only what has this text in it, if it is given. */
  about?: string | undefined
}

/** Stands between one process and Redis, so that a test can end the process at an exact point of what it tells Redis. */
export interface RedisProxy {
  readonly url: string
  /**
   * Counts commands that may change something from now on, on all connections together, and lets nothing more through at
   * the nth. Calls back there, at once.
   */
  stopAt(point: StopPoint, reached: () => void): void
  /** Lets everything through, for the next process. */
  open(): void
  close(): Promise<void>
}

/** What says or asks something and changes nothing. Scripts count: which of them write cannot be seen. */
const HARMLESS = new Set(
  'auth hello select info ping client command subscribe psubscribe unsubscribe script time get mget exists hget hmget hgetall hkeys hlen llen lrange lpos zcard zcount zrange zrangebyscore zrevrange zrevrangebyscore zscore zmscore xread xrange smembers type ttl pttl config bzpopmin'.split(
    ' '
  )
)

/** Length of the command at the beginning of what was received, and its name; undefined while it is not whole. */
const firstCommand = (bytes: Buffer): { length: number; name: string } | undefined => {
  const lineEnd = bytes.indexOf('\r\n')
  if (lineEnd < 0) return undefined
  if (bytes[0] !== 0x2a) return { length: lineEnd + 2, name: bytes.toString('latin1', 0, lineEnd).toLowerCase() }
  let at = lineEnd + 2
  let name = ''
  for (let left = Number(bytes.toString('latin1', 1, lineEnd)); left > 0; left--) {
    const end = bytes.indexOf('\r\n', at)
    if (end < 0) return undefined
    const size = Number(bytes.toString('latin1', at + 1, end))
    name ||= bytes.toString('latin1', end + 2, end + 2 + size).toLowerCase()
    at = end + 2 + size + 2
    if (at > bytes.length) return undefined
  }
  return { length: at, name }
}

/** Splits what a process sends into commands, and hands them on while it may. */
const forwardCommands = (client: Socket, upstream: Socket, pass: (name: string, command: Buffer, send: () => void) => void) => {
  let rest: Buffer = Buffer.alloc(0)
  client.on('data', (piece: Buffer) => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    for (let found = firstCommand(rest); found; found = firstCommand(rest)) {
      const command = rest.subarray(0, found.length)
      rest = rest.subarray(found.length)
      pass(found.name, command, () => upstream.write(command))
    }
  })
}

export const startRedisProxy = async (redisUrl: string): Promise<RedisProxy> => {
  const { hostname, port } = new URL(redisUrl)
  const sockets = new Set<Socket>()
  let left = Number.POSITIVE_INFINITY
  let point: StopPoint = { nth: left, side: 'before' }
  let reached: () => void = () => undefined
  const pass = (name: string, command: Buffer, send: () => void) => {
    if (left <= 0) return
    if (HARMLESS.has(name) || (point.about !== undefined && !command.includes(point.about))) return send()
    left -= 1
    if (left > 0) return send()
    if (point.side === 'after') send()
    reached()
  }
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket.setNoDelay(true))
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        // What was written before the process ended is still Redis’s to do.
        upstream.end()
      })
    }
    forwardCommands(client, upstream, pass)
    upstream.on('data', (piece) => left > 0 && client.write(piece))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stopAt: (at, onReached) => {
      left = at.nth
      point = at
      reached = onReached
    },
    open: () => {
      left = Number.POSITIVE_INFINITY
    },
    close: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    }
  }
}
