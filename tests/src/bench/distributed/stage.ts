import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { copyModel, SHIPPED_MODEL } from '../../support/copy-model.ts'
import { BUCKET, s3Command, s3Environment } from '../../support/s3-server.ts'
import { until } from '../../support/until.ts'
import { type KeptProcess, keepProcess } from '../kill-loop/kept-process.ts'
import type { JudgedStage } from '../kill-loop/stage.ts'
import { createRecordingReceiver } from '../recording-receiver.ts'
import { HERE, type Host, type Network, openNetwork } from './network.ts'
import { startRedisHosts } from './redis-hosts.ts'

const ROOT = resolve(import.meta.dirname, '../../../..')
const API_PORT = 8080
const S3_PORT = 9000
const RECEIVER_PORT = 9999
const READY_MS = 90_000
/** The model of the other pool, the shipped one under another name. */
const OTHER = 'emoji-other'
const MODELS = ['emoji-32', OTHER]

/** A process of the service, on a host of its own. */
interface Member {
  host: Host
  program: string
  env: Record<string, string>
  kept: KeptProcess
}

export interface DistributedStage extends JudgedStage {
  readonly hosts: Record<string, Host>
  readonly processes: Record<string, KeptProcess>
  /** Ends one process after another and starts it from another folder of the project, each once the one before is ready. */
  roll(folder: string): Promise<void>
  ready(): Promise<void>
  close(): Promise<void>
}

const isThere = (program: string): boolean => {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The server that is installed. */
const serverOf = (): string => ['valkey-server', 'redis-server'].find(isThere) ?? 'redis-server'

const MEMBERS = [
  { name: 'API 1', number: 31, program: 'api/src/start.ts' },
  { name: 'API 2', number: 32, program: 'api/src/start.ts' },
  { name: 'control 1', number: 41, program: 'api/src/control/start.ts' },
  { name: 'control 2', number: 42, program: 'api/src/control/start.ts' },
  { name: 'runner 1', number: 51, program: 'gpu-runner/src/start.ts' },
  { name: 'runner 2', number: 52, program: 'gpu-runner/src/start.ts' },
  { name: 'runner 3', number: 53, program: 'gpu-runner/src/start.ts', pool: 'other' },
  { name: 'runner 4', number: 54, program: 'gpu-runner/src/start.ts', pool: 'other' }
]

const isFound = async (url: string) =>
  (await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined))?.status === 200
/** Ready, and with all models. */
const isReady = async (base: string) => {
  const asked = ['/readyz', ...MODELS.map((model) => `/v1/models/${model}`)].map((path) => isFound(`${base}${path}`))
  return (await Promise.all(asked)).every(Boolean)
}

const openHosts = async (network: Network): Promise<Record<string, Host>> => {
  const hosts: Record<string, Host> = {}
  for (const number of [1, 2, 3]) hosts[`redis ${number}`] = await network.host(`redis ${number}`, 10 + number)
  hosts['S3'] = await network.host('S3', 20)
  for (const { name, number } of MEMBERS) hosts[name] = await network.host(name, number)
  return hosts
}

const hostOf = (hosts: Record<string, Host>, name: string): Host => {
  const host = hosts[name]
  if (!host) throw new Error(`there is no host ${name}`)
  return host
}

const startMember = (host: Host, program: string, env: Record<string, string>, root = ROOT): Member => ({
  host,
  program,
  env,
  kept: keepProcess(host.command(process.execPath, join(root, program)), env)
})

const environment = (redisUrl: string, s3: Host) => ({
  ...s3Environment(`http://${s3.address}:${S3_PORT}`),
  REDIS_URL: redisUrl,
  REDIS_WAIT_REPLICAS: '1',
  HOST: '0.0.0.0',
  PORT: String(API_PORT),
  UNAUTHENTICATED: 'allow',
  EGRESS: 'any',
  MAX_BATCH: '4',
  THREADS: '1',
  LOCK_DURATION_MS: '4000',
  STALLED_INTERVAL_MS: '2000',
  SWEEP_INTERVAL_MS: '2000',
  WEBHOOK_RETRY_DELAYS_SECONDS: '1,1,2,2,4,4,8,8,15,15,30,30'
})

/** The service's own processes, each on its host. */
const startMembers = async (hosts: Record<string, Host>, common: Record<string, string>, folder: string) => {
  const other = await copyModel(folder, OTHER, { id: OTHER })
  const members: Record<string, Member> = {}
  for (const { name, program, pool } of MEMBERS) {
    const own = pool === undefined ? { MODELS: SHIPPED_MODEL } : { POOL: pool, MODELS: other }
    members[name] = startMember(hostOf(hosts, name), program, { ...common, CACHE_DIR: join(folder, name), ...own })
  }
  return members
}

/** Ends one after another and starts it from a folder, each once the one before is up. */
const rollMembers = async (members: Record<string, Member>, root: string, onStart: (name: string, kept: KeptProcess) => void) => {
  for (const [name, member] of Object.entries(members)) {
    await member.kept.stop()
    const begun = startMember(member.host, member.program, member.env, root)
    members[name] = begun
    onStart(name, begun.kept)
    await until(`${name} is up`, async () => /Listening at|control ready|runner ready/.test(begun.kept.output()), READY_MS)
  }
}

/** Three hosts of Redis with sentinels, an S3 server, two API and two control processes, two runners in each of two pools, each on a host of its own. */
export const openDistributedStage = async (): Promise<DistributedStage> => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-distributed-'))
  const network = openNetwork()
  const hosts = await openHosts(network)
  const redisHosts = [1, 2, 3].map((number) => hostOf(hosts, `redis ${number}`))
  const redis = await startRedisHosts(redisHosts, folder, serverOf())
  const [objects, s3] = [join(folder, 'objects'), hostOf(hosts, 'S3')]
  await mkdir(join(objects, BUCKET), { recursive: true })
  const processes: Record<string, KeptProcess> = { ...redis.processes }
  processes['S3'] = keepProcess(s3.command(...s3Command(objects, S3_PORT, s3.address)), {})
  const receiver = createRecordingReceiver(RECEIVER_PORT, HERE)
  await receiver.open()
  const members = await startMembers(hosts, environment(redis.url, s3), folder)
  for (const [name, { kept }] of Object.entries(members)) processes[name] = kept
  const apis = ['API 1', 'API 2'].map((name) => `http://${hostOf(hosts, name).address}:${API_PORT}`)
  return {
    hosts,
    processes,
    apis,
    models: MODELS,
    receiver,
    receiverUrl: `http://${HERE}:${RECEIVER_PORT}/`,
    ready: async () => void (await Promise.all(apis.map((api) => until(`${api} is ready`, () => isReady(api), READY_MS)))),
    roll: (root) => rollMembers(members, root, (name, kept) => (processes[name] = kept)),
    close: async () => {
      for (const kept of Object.values(processes).toReversed()) await kept.stop()
      await receiver.close()
      await network.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}
