import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from './free-port.ts'
import { startProcess } from './process.ts'
import { until } from './until.ts'

const SLOTS = 16_384
const UP_MS = 20_000
/** The port by which nodes speak with each other is 10,000 above. */
const HIGHEST_PORT = 50_000

/** One of the servers that are one Redis together, with nothing kept on disk. */
export interface RedisServer {
  readonly port: number
  readonly redis: Redis
  stop: () => Promise<void>
}

const startServer = async (port: number, settings: readonly string[] = []): Promise<RedisServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-redis-'))
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no']
  const server = startProcess('redis-server', [...own, ...settings])
  const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null })
  redis.on('error', () => undefined)
  const stop = async () => {
    redis.disconnect()
    await server.end('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
  await until('Redis answers', async () => (await redis.ping()) === 'PONG', UP_MS)
  return { port, redis, stop }
}

/** Several servers that are one Redis. */
interface RedisGroup {
  readonly url: string
  stop: () => Promise<void>
}

export interface RedisCluster extends RedisGroup {
  /** Each with a third of the slots, in order. */
  readonly owners: readonly RedisServer[]
  /** A node without slots, which may become a replica. */
  readonly spare: RedisServer
  /** The node that owns the slot of a key. */
  ownerOf: (key: string) => Promise<RedisServer>
}

const clusterPort = (): Promise<number> =>
  until('a low port is free', async () => {
    const port = await freePort()
    return port < HIGHEST_PORT && port
  })

const share = (place: number, owners: number) => Math.round((place * SLOTS) / owners)

const stopAll = async (servers: readonly { stop: () => Promise<void> }[]): Promise<void> =>
  void (await Promise.all(servers.map((server) => server.stop())))

/** A cluster of three nodes and a spare one, on loopback. */
export const startRedisCluster = async (): Promise<RedisCluster> => {
  const nodes: RedisServer[] = []
  for (let place = 0; place < 4; place++) {
    const port = await clusterPort()
    nodes.push(
      await startServer(port, [
        '--cluster-enabled',
        'yes',
        '--cluster-config-file',
        `nodes-${port}.conf`,
        '--cluster-node-timeout',
        '1000'
      ])
    )
  }
  const [spare, ...owners] = nodes
  if (!spare) throw new Error('there are four')
  for (const { port } of owners) await spare.redis.call('CLUSTER', 'MEET', '127.0.0.1', String(port))
  for (const [place, { redis }] of owners.entries())
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', String(share(place, 3)), String(share(place + 1, 3) - 1))
  const isUp = async ({ redis }: RedisServer) => String(await redis.call('CLUSTER', 'INFO')).includes('cluster_state:ok')
  await until('the cluster is up', async () => (await Promise.all(nodes.map(isUp))).every(Boolean), UP_MS)
  const slotOf = async (key: string) => Number(await spare.redis.call('CLUSTER', 'KEYSLOT', key))
  return {
    url: `redis+cluster://${owners.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    owners,
    spare,
    ownerOf: async (key) => {
      const slot = await slotOf(key)
      const owner = owners.find((_, place) => slot < share(place + 1, 3))
      if (!owner) throw new Error(`nobody owns slot ${slot}`)
      return owner
    },
    stop: () => stopAll(nodes)
  }
}

const settingsOf = (port: number, folder: string, primary: RedisServer) => `port ${port}
bind 127.0.0.1
dir ${folder}
sentinel monitor main 127.0.0.1 ${primary.port} 2
sentinel down-after-milliseconds main 500
sentinel failover-timeout main 3000
`

const startSentinel = async (primary: RedisServer) => {
  const [port, folder] = [await freePort(), await mkdtemp(join(tmpdir(), 'nextscale-sentinel-'))]
  const file = join(folder, 'sentinel.conf')
  await writeFile(file, settingsOf(port, folder, primary))
  const server = startProcess('redis-server', [file, '--sentinel'])
  return {
    port,
    stop: async () => {
      await server.end('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Sentinels watch each other and the replica only once they have heard of them. */
const awaitSight = async (port: number): Promise<void> => {
  const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 })
  redis.on('error', () => undefined)
  const sees = async () => /slaves=1,sentinels=3/.test(String(await redis.call('INFO', 'sentinel').catch(() => '')))
  await until('sentinels know of each other and of the replica', sees, UP_MS).finally(() => redis.disconnect())
}

export interface RedisWithSentinels extends RedisGroup {
  readonly primary: RedisServer
  readonly replica: RedisServer
}

/** A primary, its replica and three sentinels, on loopback; half a second after the primary has died the replica takes over. */
export const startRedisWithSentinels = async (): Promise<RedisWithSentinels> => {
  const primary = await startServer(await freePort())
  const replica = await startServer(await freePort(), ['--replicaof', `127.0.0.1 ${primary.port}`])
  const sentinels = [await startSentinel(primary), await startSentinel(primary), await startSentinel(primary)]
  await Promise.all(sentinels.map(({ port }) => awaitSight(port)))
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/main`,
    primary,
    replica,
    stop: () => stopAll([...sentinels, replica, primary])
  }
}
