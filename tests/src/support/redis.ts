import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from './free-port.ts'
import { startProcess, type TestProcess } from './process.ts'
import { until } from './until.ts'

/** A redis-server of its own, with an append-only file, that can be stopped and started again with its data. */
export interface TestRedis {
  url: string
  start(): Promise<void>
  isRunning(): boolean
  stop(signal?: NodeJS.Signals): Promise<void>
  /** Freezes it: connections stay open and nothing answers. */
  freeze(): void
  thaw(): void
  close(): Promise<void>
}

const answers = async (port: number): Promise<boolean> => {
  const client = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.ping()) === 'PONG'
  } catch {
    return false
  } finally {
    client.disconnect()
  }
}

export const createRedis = async (): Promise<TestRedis> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-redis-'))
  const port = await freePort()
  let server: TestProcess | undefined
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--save', '']
  const start = async () => {
    server = startProcess('redis-server', args)
    await until('Redis answers', () => answers(port))
  }
  const stop = async (signal?: NodeJS.Signals) => server?.end(signal)
  const signal = (name: NodeJS.Signals) => {
    if (server?.isRunning()) process.kill(server.pid, name)
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    isRunning: () => server?.isRunning() ?? false,
    stop,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    close: async () => {
      signal('SIGCONT')
      await stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}
