import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

interface TestRedis {
  /** Path of its socket, which ioredis takes for a URL. */
  url: string
  redis: Redis
  /** Another connection, which ends with the server. */
  connect: () => Redis
  /** Keeps the server from answering, with connections open. */
  freeze: () => void
  thaw: () => void
  stop: () => Promise<void>
}

/** A redis-server of its own, on a socket, with nothing kept on disk. */
export const startRedis = async (): Promise<TestRedis> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-redis-'))
  const socket = join(folder, 'redis.sock')
  const server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder], {
    stdio: 'ignore'
  })
  const connections: Redis[] = []
  const connect = () => {
    const redis = new Redis(socket, { retryStrategy: () => 20, maxRetriesPerRequest: null })
    redis.on('error', () => undefined)
    connections.push(redis)
    return redis
  }
  const redis = connect()
  await redis.ping()
  return {
    url: socket,
    redis,
    connect,
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    stop: async () => {
      for (const connection of connections) connection.disconnect()
      server.kill('SIGKILL')
      await once(server, 'exit')
      await rm(folder, { recursive: true, force: true })
    }
  }
}
