import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

const START_DEADLINE_MS = 5000

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Stops answering without closing anything, as a machine that swaps or a partition does. */
  freeze(): void
  thaw(): void
  stop(): Promise<void>
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

const untilReady = async (port: number): Promise<void> => {
  const redis = new Redis({
    port,
    host: '127.0.0.1',
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    commandTimeout: START_DEADLINE_MS
  })
  redis.on('error', () => undefined)
  try {
    await redis.ping()
  } finally {
    redis.disconnect()
  }
}

const end = async (process: ChildProcess): Promise<void> => {
  if (process.exitCode !== null || process.signalCode !== null) return
  process.kill('SIGKILL')
  await once(process, 'exit')
}

/** Starts a private redis-server on loopback, with nothing kept on disk. */
export const startRedis = async (port?: number): Promise<RedisServer> => {
  const chosen = port ?? (await freePort())
  const directory = await mkdtemp(join(tmpdir(), 'nextscale-redis-'))
  const settings = ['--port', String(chosen), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory]
  const server = spawn('redis-server', settings, { stdio: 'ignore' })
  await untilReady(chosen)
  return {
    url: `redis://127.0.0.1:${chosen}`,
    port: chosen,
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    stop: async () => {
      await end(server)
      await rm(directory, { recursive: true, force: true })
    }
  }
}
