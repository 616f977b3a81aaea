import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type KeptProcess, keepProcess } from '../kill-loop/kept-process.ts'
import type { Host } from './network.ts'

const PORT = 6379
const SENTINEL_PORT = 26_379
const GROUP = 'main'

/** Valkey where there is one: both take the same settings. */
const settingsOf = (folder: string, address: string, primary: string) => `port ${PORT}
bind ${address} 127.0.0.1
protected-mode no
dir "${folder}"
save ""
appendonly yes
appendfsync always
maxmemory-policy noeviction
min-replicas-to-write 1
min-replicas-max-lag 2
repl-timeout 5
repl-ping-replica-period 1
replica-announce-ip ${address}
${address === primary ? '' : `replicaof ${primary} ${PORT}`}
`

const sentinelOf = (folder: string, address: string, primary: string) => `port ${SENTINEL_PORT}
bind ${address} 127.0.0.1
protected-mode no
dir "${folder}"
sentinel announce-ip ${address}
sentinel monitor ${GROUP} ${primary} ${PORT} 2
sentinel down-after-milliseconds ${GROUP} 1500
sentinel failover-timeout ${GROUP} 5000
sentinel parallel-syncs ${GROUP} 2
`

/** On each host a Redis and a sentinel; the first is the primary until it fails. */
export const startRedisHosts = async (hosts: readonly Host[], folder: string, server: string) => {
  const primary = hosts[0]?.address ?? ''
  const processes: Record<string, KeptProcess> = {}
  for (const host of hosts) {
    const own = join(folder, host.name)
    await mkdir(own, { recursive: true })
    const [redis, sentinel] = [join(own, 'redis.conf'), join(own, 'sentinel.conf')]
    await writeFile(redis, settingsOf(own, host.address, primary))
    await writeFile(sentinel, sentinelOf(own, host.address, primary))
    processes[`${host.name} server`] = keepProcess(host.command(server, redis), {})
    processes[`${host.name} sentinel`] = keepProcess(host.command(server, sentinel, '--sentinel'), {})
  }
  const addresses = hosts.map(({ address }) => `${address}:${SENTINEL_PORT}`)
  return { processes, url: `redis+sentinel://${addresses.join(',')}/${GROUP}` }
}
