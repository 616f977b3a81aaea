import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readConfig as readApi } from '../../api/src/config.ts'
import { readControlConfig } from '../../api/src/control/config.ts'
import { readConfig as readRunner } from '../../gpu-runner/src/config.ts'
import { COMPOSE, dependenciesOf, orderServices, readServices, readVariables, toMs } from './support/read-compose.ts'

type Environment = Readonly<Record<string, string | undefined>>

const READERS: Readonly<Record<string, (env: Environment) => unknown>> = {
  api: readApi,
  control: readControlConfig,
  runner: readRunner,
  'runner-gpu': readRunner,
  key: readApi,
  'metrics-key': readApi
}
/** What AWS' SDK reads by itself. */
const OF_SDK = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
/** Variables of compose itself. */
const OF_COMPOSE = 'BIND S3_BIND GRAFANA_PASSWORD REDIS_MEMORY MODELS_DIR CPU_RUNNERS NEXTSCALE_IMAGE NEXTSCALE_GPU_IMAGE'.split(
  ' '
)
const OF_ITSELF = ['COMPOSE_PROFILES']
const MOST_USEFUL = [
  'PORT',
  'PUBLIC_URL',
  'MODELS',
  'MODELS_MEMORY',
  'THREADS',
  'PRECISION',
  'GRACE_MS',
  'S3_BUCKET',
  'S3_ENDPOINT',
  'LOG_LEVEL'
]

/** The variables that a reader asks for, with pictures on disk or in a bucket. */
const namesReadBy = (reader: (env: Environment) => unknown, env: Environment): Set<string> => {
  const names = new Set<string>()
  const get = (target: Environment, name: string | symbol) => {
    names.add(String(name))
    return target[String(name)]
  }
  for (const bucket of [undefined, 'pictures']) reader(new Proxy<Environment>({ ...env, S3_BUCKET: bucket }, { get }))
  return names
}

const readExample = async (): Promise<Map<string, string>> => {
  const text = await readFile(join(COMPOSE, '.env.example'), 'utf8')
  return new Map([...text.matchAll(/^# ([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]))
}

describe('compose.yaml', () => {
  it('gives each process settings that it reads, and values that it takes', async () => {
    const services = await readServices()
    for (const [name, reader] of Object.entries(READERS)) {
      const { environment = {} } = services[name] ?? {}
      const given = Object.keys(environment).filter((variable) => !OF_SDK.includes(variable))
      const read = namesReadBy(reader, environment)
      assert.notEqual(given.length, 0, name)
      assert.deepEqual(
        given.filter((variable) => !read.has(variable)),
        [],
        name
      )
    }
  })

  it('takes the values that .env.example proposes', async () => {
    const services = await readServices(Object.fromEntries(await readExample()))
    for (const [name, reader] of Object.entries(READERS)) reader(services[name]?.environment ?? {})
  })

  it('reads what .env.example has, with the same defaults, and nothing else', async () => {
    const [example, variables] = [await readExample(), await readVariables()]
    const proposed = [...example.keys()].filter((name) => !OF_ITSELF.includes(name))
    assert.deepEqual(proposed.toSorted(), [...variables.keys()].toSorted())
    for (const [name, otherwise] of variables) {
      if (otherwise !== '' && name !== 'MODELS_DIR') assert.equal(example.get(name), otherwise, name)
    }
    for (const name of MOST_USEFUL) assert.ok(example.has(name), name)
  })

  it('has no variable in .env.example but settings of the processes and its own', async () => {
    const read = new Set(Object.values(READERS).flatMap((reader) => [...namesReadBy(reader, {})]))
    const unknown = [...(await readExample()).keys()].filter(
      (name) => !read.has(name) && ![...OF_SDK, ...OF_COMPOSE, ...OF_ITSELF].includes(name)
    )
    assert.deepEqual(unknown, [])
  })

  it('hardens every container of the images, and publishes on loopback alone', async () => {
    const services = await readServices()
    for (const name of Object.keys(READERS)) {
      const service = services[name]
      assert.equal(service?.read_only, true, name)
      assert.deepEqual(service.cap_drop, ['ALL'], name)
      assert.deepEqual(service.tmpfs, ['/tmp'], name)
    }
    const ports = Object.values(services).flatMap(({ ports: own = [] }) => own)
    assert.ok(ports.length > 0)
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/)
  })

  it('publishes no more than the API at BIND, and no more than S3 at S3_BIND', async () => {
    const openAt = async (env: Record<string, string>) =>
      Object.entries(await readServices(env)).flatMap(([name, { ports = [] }]) =>
        ports.some((port) => !port.startsWith('127.0.0.1:')) ? [name] : []
      )
    assert.deepEqual(await openAt({ BIND: '0.0.0.0' }), ['api'])
    assert.deepEqual(await openAt({ S3_BIND: '0.0.0.0' }), ['s3'])
  })

  it("gives Grafana's admin the password it is told", async () => {
    const { grafana } = await readServices({ GRAFANA_PASSWORD: 'of-a-test' })
    assert.equal(grafana?.environment?.['GF_SECURITY_ADMIN_PASSWORD'], 'of-a-test')
  })

  it('limits the logs of every service', async () => {
    for (const [name, { logging }] of Object.entries(await readServices())) {
      assert.equal(logging?.driver, 'json-file', name)
      assert.match(logging?.options?.['max-size'] ?? '', /^\d+m$/, name)
      assert.match(logging?.options?.['max-file'] ?? '', /^\d+$/, name)
    }
  })

  it('brings back no key that was revoked, and prints none with the scope admin', async () => {
    const services = await readServices()
    assert.ok(services['key']?.command?.includes('--unless-others'))
    const admins = Object.values(services).filter(({ command = [] }) => command.includes('admin'))
    assert.ok(admins.length > 0)
    for (const { command = [] } of admins) assert.ok(command.includes('--quiet'))
    const order = orderServices(services, ['metrics'])
    assert.ok(order.indexOf('key') < order.indexOf('metrics-key'), 'the key of metrics would be one of the others')
    assert.ok(dependenciesOf(services['metrics-key'] ?? assert.fail()).some(([name]) => name === 'key'))
  })

  it('keeps what Redis was told: no eviction, on disk, in a volume', async () => {
    const { redis } = await readServices()
    const words = redis?.command?.join(' ') ?? ''
    assert.match(words, /--maxmemory 1gb --maxmemory-policy noeviction/)
    assert.match(words, /--appendonly yes/)
    assert.deepEqual(redis?.volumes, ['redis:/data'])
  })

  it('leaves processes more time to stop than they take', async () => {
    const services = await readServices()
    const control = readControlConfig({})
    const times = { runner: readRunner({}).graceMs, 'runner-gpu': readRunner({}).graceMs, control: control.webhooks.timeoutMs }
    for (const [name, ms] of Object.entries(times)) assert.ok(toMs(services[name]?.stop_grace_period) >= ms + 10_000, name)
  })

  it('starts what others wait for first, with each profile', async () => {
    const services = await readServices()
    assert.deepEqual(orderServices(services).toSorted(), ['api', 'control', 'key', 'redis', 'runner'])
    assert.ok(orderServices(services, ['gpu']).includes('runner-gpu'))
    assert.ok(orderServices(services, ['s3']).includes('s3'))
    const order = orderServices(services, ['metrics'])
    assert.ok(order.indexOf('metrics-key') < order.indexOf('prometheus'))
    assert.equal((await readServices({ CPU_RUNNERS: '0' }))['runner']?.scale, '0')
  })
})
