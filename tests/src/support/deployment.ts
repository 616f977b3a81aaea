import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import type { Problem } from '@nextscale/openapi'
import { type Client, createClient } from './client.ts'
import { freePort } from './free-port.ts'
import { startProcess, type TestProcess } from './process.ts'
import { createRedis, type TestRedis } from './redis.ts'
import { until } from './until.ts'

const program = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))
const API = program('api/src/start.ts')
const RUNNER = program('gpu-runner/src/start.ts')
const CONTROL = program('api/src/control/start.ts')
/** A runner that serves a family of its own beside those that are shipped; `RECTANGLES_MODEL` is a folder of it. */
export const RECTANGLES_RUNNER = program('gpu-runner/src/testing/rectangles/start.ts')
export const RECTANGLES_MODEL = program('gpu-runner/src/testing/rectangles/model')

/** Short, so that a drill does not wait half a minute for a killed runner’s jobs. */
const QUICK_RECOVERY = { LOCK_DURATION_MS: '2000', STALLED_INTERVAL_MS: '1000' }

/** Redis, API, control process and runner as separate processes, as an operator would run them. */
export interface Deployment {
  client: Client
  baseUrl: string
  redis: TestRedis
  /** Where the disk store keeps pictures. */
  objects: string
  /** Starts a runner: the shipped one, unless another program is named. */
  startRunner(env?: Record<string, string>, program?: string): Promise<TestProcess>
  /** Starts an API. Resolves once it reads from Redis, or, where there is none, as soon as it answers. */
  startApi(env?: Record<string, string>, redis?: 'there' | 'away'): Promise<TestProcess>
  startControl(env?: Record<string, string>): Promise<TestProcess>
  api(): TestProcess
  control(): TestProcess
  runner(): TestProcess
  close(): Promise<void>
}

export interface DeploymentOptions {
  env?: Record<string, string>
  /** Whether a runner is started at once. */
  withRunner?: boolean
  /** The command line that runs a program; by default Node alone. */
  launch?: Launch
  /** The user of Redis that the processes are; by default the one who may do everything. */
  user?: { name: string; rules: readonly string[] }
  /** What is there before the first process starts. */
  prepare?: (stores: { redisUrl: string; objects: string }) => Promise<void>
}

type Launch = (program: string) => readonly [command: string, ...args: string[]]

const isListening = (baseUrl: string) => async () => {
  const answer = await fetch(`${baseUrl}/healthz`).catch(() => undefined)
  return answer?.status === 200
}

const readiness = async (baseUrl: string): Promise<string> => {
  const answer = await fetch(`${baseUrl}/readyz`).catch(() => undefined)
  if (answer?.ok) return 'ready'
  return answer ? ((await answer.json()) as Problem).code : 'not listening'
}

const isReady = (baseUrl: string) => async () => (await readiness(baseUrl)) === 'ready'
/** Whatever models there are. */
const isReading = (baseUrl: string) => async () => ['ready', 'no_models'].includes(await readiness(baseUrl))

const isSaid = (words: string, started: TestProcess) =>
  until(words, async () => {
    if (!started.isRunning()) throw new Error(`it ended before it was "${words}":\n${started.output()}`)
    return started.output().includes(words)
  })

/** The service’s processes, in the order of their start. */
class Processes {
  readonly #env: Record<string, string>
  readonly #launch: Launch
  readonly #baseUrl: string
  readonly #all: TestProcess[] = []
  #api: TestProcess | undefined
  #runner: TestProcess | undefined
  #control: TestProcess | undefined

  constructor(env: Record<string, string>, baseUrl: string, launch: Launch) {
    this.#env = env
    this.#baseUrl = baseUrl
    this.#launch = launch
  }

  #start(path: string, extra: Record<string, string>): TestProcess {
    const [command, ...args] = this.#launch(path)
    const started = startProcess(command, args, { ...this.#env, ...extra })
    this.#all.push(started)
    return started
  }

  async startApi(extra: Record<string, string> = {}, redis: 'there' | 'away' = 'there'): Promise<TestProcess> {
    const started = (this.#api = this.#start(API, extra))
    const port = extra['PORT']
    const baseUrl = port === undefined ? this.#baseUrl : `http://127.0.0.1:${port}`
    if (redis === 'away') await until('the API listens', isListening(baseUrl))
    else await until('the API reads from Redis', isReading(baseUrl))
    return started
  }

  async startRunner(extra: Record<string, string> = {}, path = RUNNER): Promise<TestProcess> {
    const started = (this.#runner = this.#start(path, extra))
    await isSaid('runner ready', started)
    return started
  }

  async startControl(extra: Record<string, string> = {}): Promise<TestProcess> {
    // A port in what all processes are given is the runner's.
    const started = (this.#control = this.#start(CONTROL, { METRICS_PORT: '', ...extra }))
    await isSaid('control ready', started)
    return started
  }

  get api(): TestProcess {
    return present(this.#api)
  }

  get runner(): TestProcess {
    return present(this.#runner)
  }

  get control(): TestProcess {
    return present(this.#control)
  }

  async endAll(): Promise<void> {
    for (const started of this.#all.toReversed()) await started.end()
  }
}

const present = (started: TestProcess | undefined): TestProcess => {
  if (!started) throw new Error('not started')
  return started
}

const PASSWORD = 'p@ss:w/rd#%'

/** Adds a user to a Redis. Resolves with the URL of its connections. */
const addUser = async (url: string, { name, rules }: NonNullable<DeploymentOptions['user']>): Promise<string> => {
  const admin = new Redis(url)
  await admin.acl('SETUSER', name, 'on', `>${PASSWORD}`, ...rules)
  admin.disconnect()
  return url.replace('redis://', `redis://${name}:${encodeURIComponent(PASSWORD)}@`)
}

const byNode: Launch = (program) => [process.execPath, program]

export const deploy = async (options: DeploymentOptions = {}): Promise<Deployment> => {
  const { env = {}, withRunner = true, launch = byNode, user, prepare } = options
  const redis = await createRedis()
  const redisUrl = user === undefined ? redis.url : await addUser(redis.url, user)
  const objects = await mkdtemp(join(tmpdir(), 'nextscale-objects-'))
  await prepare?.({ redisUrl: redis.url, objects })
  const port = await freePort()
  const baseUrl = `http://127.0.0.1:${port}`
  const common = { REDIS_URL: redisUrl, OBJECT_DIR: objects, PORT: String(port), ...QUICK_RECOVERY, ...env }
  const processes = new Processes(common, baseUrl, launch)
  await Promise.all([processes.startApi(), processes.startControl()])
  if (withRunner) {
    await processes.startRunner()
    await until('requests are accepted', isReady(baseUrl))
  }
  return {
    client: createClient(baseUrl),
    baseUrl,
    redis,
    objects,
    startApi: (extra, reached) => processes.startApi(extra, reached),
    startRunner: (extra, path) => processes.startRunner(extra, path),
    startControl: (extra) => processes.startControl(extra),
    api: () => processes.api,
    runner: () => processes.runner,
    control: () => processes.control,
    close: async () => {
      redis.thaw()
      await processes.endAll()
      await redis.close()
      await rm(objects, { recursive: true, force: true })
    }
  }
}
