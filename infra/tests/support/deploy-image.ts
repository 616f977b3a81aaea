import { freePort, startRedis, until, type RedisServer } from '@nextscale/platform/testing'
import { type Container, runContainer, startContainer } from './start-container.ts'

export interface Deployment {
  readonly redis: RedisServer
  readonly key: string
  readonly volumes: readonly string[]
  readonly env: Readonly<Record<string, string | number>>
  readonly url: { readonly api: string; readonly control: string; readonly runner: string }
  readonly api: Container
  readonly control: Container
  readonly runner: Container
  /** Time from the start of the runner's container until it was ready. */
  readonly runnerReadyMs: number
  /** What its processes had computed by then. */
  readonly runnerReadyCpuMs: number
  close: () => Promise<void>
}

const READY_DEADLINE_MS = 40_000

export const statusOf = (url: string): Promise<number> =>
  fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    ({ status }) => status,
    () => 0
  )

const ready = (url: string) =>
  until(`an answer of ${url}/readyz`, async () => (await statusOf(`${url}/readyz`)) === 200, {
    deadlineMs: READY_DEADLINE_MS,
    againMs: 50
  })

/** CPU time of all processes of a container, which the kernel counts in hundredths of a second. */
const cpuMs = async (container: Container): Promise<number> => {
  const { stdout } = await container.exec('sh', '-c', 'cat /proc/[0-9]*/stat')
  // After the name in parentheses, times in user and kernel mode are the twelfth and thirteenth field.
  const times = stdout.split('\n').map((line) => line.slice(line.lastIndexOf(')') + 2).split(' '))
  return times.reduce((sum, fields) => sum + Number(fields[11] ?? 0) + Number(fields[12] ?? 0), 0) * 10
}

/** The folder of pictures, the cache and the keys, as volumes that are new. */
const newVolumes = (prefix: string) => ['data', 'cache', 'keys'].map((name) => `${prefix}-${name}:/${name}`)

/** Starts the service from an image, with a Redis of the machine's own. */
export const deployImage = async (image: string): Promise<Deployment> => {
  const stack = new AsyncDisposableStack()
  const redis = await startRedis()
  stack.defer(() => redis.stop())
  try {
    const ports = { api: await freePort(), control: await freePort(), runner: await freePort() }
    const url = {
      api: `http://127.0.0.1:${ports.api}`,
      control: `http://127.0.0.1:${ports.control}`,
      runner: `http://127.0.0.1:${ports.runner}`
    }
    const volumes = newVolumes(`nextscale-test-${process.pid}-${ports.api}`)
    const env = { REDIS_URL: redis.url, LOG_LEVEL: 'info', HOST: '127.0.0.1', METRICS_HOST: '127.0.0.1' }
    const words = 'nextscale keys ensure --file /keys/first --name first --scopes generate,read,admin'.split(' ')
    const made = await runContainer({ image, command: words, env, volumes })
    if (made.code !== 0) throw new Error(`No key was made: ${made.stderr}`)
    const start = async (name: 'api' | 'control' | 'runner', isHardened = true) => {
      const own = name === 'api' ? { PORT: ports.api } : { METRICS_PORT: ports[name] }
      const container = await startContainer({ image, command: [name], env: { ...env, ...own }, volumes, isHardened })
      stack.defer(() => container.remove())
      return container
    }
    const startedAt = performance.now()
    // The root of this one may be written, which shows what it would write there.
    const runner = await start('runner', false)
    await ready(url.runner)
    const runnerReadyMs = performance.now() - startedAt
    const runnerReadyCpuMs = await cpuMs(runner)
    const [api, control] = [await start('api'), await start('control')]
    await Promise.all([ready(url.api), ready(url.control)])
    const key = made.stdout.trim()
    return {
      redis,
      key,
      volumes,
      env,
      url,
      api,
      control,
      runner,
      runnerReadyMs,
      runnerReadyCpuMs,
      close: () => stack.disposeAsync()
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}
