import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

const START_DEADLINE_MS = 5000

/** A redis-server of a test's own, on loopback, with nothing kept on disk. */
export interface RedisServer {
  readonly url: string
  readonly port: number
  readonly redis: Redis
  /** Another connection, which ends with the server. */
  connect: () => Redis
  /** Stops answering without closing anything, as a machine that swaps or a partition does. */
  freeze: () => void
  thaw: () => void
  stop: () => Promise<void>
}

/** A port nobody listens on at this moment. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port')
  return address.port
}

/** Starts one. `settings` are more of redis-server's arguments. */
export const startRedis = async (port?: number, settings: readonly string[] = []): Promise<RedisServer> => {
  const chosen = port ?? (await freePort())
  const directory = await mkdtemp(join(tmpdir(), 'nextscale-redis-'))
  const own = ['--port', String(chosen), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory]
  const server = spawn('redis-server', [...own, ...settings], { stdio: 'ignore' })
  const connections: Redis[] = []
  const connect = () => {
    const redis = new Redis(chosen, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null })
    redis.on('error', () => undefined)
    connections.push(redis)
    return redis
  }
  const redis = connect()
  const late = setTimeout(() => server.kill('SIGKILL'), START_DEADLINE_MS)
  const ended = once(server, 'exit').then(() => Promise.reject(new Error(`redis-server did not start on port ${chosen}`)))
  await Promise.race([redis.ping(), ended]).finally(() => clearTimeout(late))
  ended.catch(() => undefined)
  return {
    url: `redis://127.0.0.1:${chosen}`,
    port: chosen,
    redis,
    connect,
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    stop: async () => {
      for (const connection of connections) connection.disconnect()
      if (server.exitCode === null && server.signalCode === null) {
        const exited = once(server, 'exit')
        server.kill('SIGKILL')
        await exited
      }
      await rm(directory, { recursive: true, force: true })
    }
  }
}
