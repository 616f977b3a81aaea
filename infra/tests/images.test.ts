import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { until } from '@nextscale/platform/testing'
import { buildImage, inspectImage, REVISION } from './support/build-image.ts'
import { demand, missing, podman, ROOT } from './support/podman.ts'
import { type Deployment, deployImage, statusOf } from './support/deploy-image.ts'
import { runContainer, startContainer } from './support/start-container.ts'
import { listFiles, platformOf, withMounted } from './support/walk-image.ts'

const MAX_BYTES = 400e6
const COLD_PICTURE_MS = 60_000
const RUNNER_READY_MS = 5000
const BUILD_MS = 12 * 60_000
const PNG = '89504e47'
const DOCKERFILE = join(ROOT, 'infra', 'images', 'Dockerfile')

interface ImageFacts {
  readonly Size: number
  readonly Config: {
    readonly User: string
    readonly Env: readonly string[]
    readonly Entrypoint: readonly string[]
    readonly StopSignal: string
    readonly Labels: Readonly<Record<string, string>>
  }
  readonly Healthcheck: { readonly Test: readonly string[] }
}

const makePicture = async ({ url, key }: Deployment, seed: number): Promise<Buffer> => {
  const response = await fetch(`${url.api}/generate`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, accept: 'image/png', 'content-type': 'application/json' },
    body: JSON.stringify({ class_name: 'fox', seed }),
    signal: AbortSignal.timeout(30_000)
  })
  assert.equal(response.status, 200, `${response.status}`)
  return Buffer.from(await response.arrayBuffer())
}

describe('the image', { skip: missing }, () => {
  let image: string
  before(async () => void (image = await buildImage('nextscale')), { timeout: BUILD_MS })

  it('is built from a file that hadolint finds nothing in', async () => {
    await demand('hadolint', [DOCKERFILE])
  })

  it('says what it is, is for a user by number, and is small', async () => {
    const { Size, Config, Healthcheck } = (await inspectImage(image)) as ImageFacts
    assert.ok(Size < MAX_BYTES, `${Math.round(Size / 1e6)} MB`)
    assert.equal(Config.User, '10001:10001')
    assert.equal(Config.StopSignal, 'SIGTERM')
    assert.deepEqual(Config.Entrypoint, ['node', '/app/infra/images/start.mjs'])
    assert.equal(Healthcheck.Test[0], 'CMD')
    for (const variable of ['NODE_ENV=production', 'ORT_DISABLE_TELEMETRY=1', 'HOST=0.0.0.0'])
      assert.ok(Config.Env.includes(variable))
    const { version } = (await import('../../package.json', { with: { type: 'json' } })).default
    assert.equal(Config.Labels['org.opencontainers.image.version'], version)
    assert.equal(Config.Labels['org.opencontainers.image.revision'], REVISION)
  })

  it('has files of its own platform alone, no tests, and no npm, compiler or credentials', async () => {
    await withMounted(image, async (root) => {
      const files = await listFiles(root)
      const platforms = await Promise.all(files.map(async (path) => ({ path, platform: await platformOf(join(root, path)) })))
      const own = `linux-${process.arch}`
      const compiled = platforms.filter(({ platform }) => platform !== undefined)
      assert.ok(compiled.some(({ path }) => path.endsWith('onnxruntime_binding.node')))
      assert.deepEqual(
        compiled.filter(({ platform }) => platform !== own),
        []
      )
      const unwanted =
        /^\/app\/(?!node_modules).*(\.test\.ts|\/testing\/|\/training\/|\/fixtures\/)|\/\.git\/|\/\.env|\.npmrc\.|^\/(root|usr\/(local\/)?bin)\/(\.npmrc|npm|gcc|cc|curl|python3)$|\.pem$/
      assert.deepEqual(
        files.filter((path) => unwanted.test(path)),
        []
      )
    })
  })

  it('refuses words that it does not know', async () => {
    const { code, stderr } = await runContainer({ image, command: ['shell'] })
    assert.equal(code, 2)
    assert.match(stderr, /runs one of: api, control, runner, nextscale/)
  })

  it('has the nextscale command, whose exit codes it hands on', async () => {
    const version = await runContainer({ image, command: ['nextscale', '--version'] })
    assert.deepEqual([version.code, /^nextscale \d/.test(version.stdout)], [0, true], version.stderr)
    assert.equal((await runContainer({ image, command: ['nextscale', 'unknown'] })).code, 2)
  })

  it('ends with 0 at a SIGTERM that comes while it starts', async (t) => {
    const container = await startContainer({ image, command: ['runner'], env: { REDIS_URL: 'redis://127.0.0.1:1' } })
    t.after(() => container.remove())
    await until('a process that listens', async () => {
      const { stdout } = await container.exec('cat', '/proc/1/status')
      // SIGTERM is the fifteenth bit of the mask of signals that are caught.
      const caught = /^SigCgt:\s*([0-9a-f]+)/m.exec(stdout)?.[1] ?? '0'
      return (BigInt(`0x${caught}`) & (1n << 14n)) !== 0n
    })
    const startedAt = performance.now()
    assert.equal(await container.stop(), 0, await container.logs())
    assert.ok(performance.now() - startedAt < 15_000)
  })
})

describe('containers of the image', { skip: missing }, () => {
  let deployment: Deployment
  before(async () => void (deployment = await deployImage(await buildImage('nextscale'))), { timeout: BUILD_MS })
  after(() => deployment.close())

  it('make a picture', { timeout: COLD_PICTURE_MS }, async () => {
    const startedAt = performance.now()
    assert.equal((await makePicture(deployment, 7)).toString('hex', 0, 4), PNG)
    assert.ok(performance.now() - startedAt + deployment.runnerReadyMs < COLD_PICTURE_MS)
  })

  it('have a runner that is ready after seconds of work', (t) => {
    const { runnerReadyMs, runnerReadyCpuMs } = deployment
    // What it computed is asserted, since others may have had the cores meanwhile.
    t.diagnostic(`ready after ${Math.round(runnerReadyMs)} ms, ${runnerReadyCpuMs} ms of CPU time`)
    assert.ok(runnerReadyCpuMs > 0 && runnerReadyCpuMs < RUNNER_READY_MS, `${runnerReadyCpuMs} ms`)
  })

  it('write nothing but /tmp and what is mounted', async () => {
    const changed = (await deployment.runner.changes()).filter(
      (path) => !/^\/(tmp|run|etc|dev|proc|sys|data|cache|keys)(\/|$)/.test(path)
    )
    assert.deepEqual(changed, [])
    const { stdout } = await deployment.runner.exec('ls', '/cache/graphs')
    assert.notEqual(stdout.trim(), '')
    const refused = await deployment.api.exec('touch', '/app/x')
    assert.match(refused.stderr, /Read-only file system/)
  })

  it('run without a right, as the first process', async () => {
    for (const container of [deployment.api, deployment.control]) {
      const { stdout } = await container.exec('cat', '/proc/1/status')
      assert.match((await container.exec('cat', '/proc/1/cmdline')).stdout, /^node\0\/app\/infra\/images\/start.mjs\0/)
      assert.match(stdout, /^Uid:\s*10001\s/m)
      for (const set of ['CapPrm', 'CapEff', 'CapBnd']) assert.match(stdout, new RegExp(`^${set}:\\s*0+$`, 'm'))
    }
  })

  it('go on and leave no zombie when the sampler is killed', async () => {
    const { runner, url } = deployment
    const states = async () => (await runner.exec('sh', '-c', 'cat /proc/[0-9]*/stat 2>/dev/null')).stdout.trim().split('\n')
    const samplers = await runner.exec(
      'sh',
      '-c',
      'grep -la sampler/process.ts /proc/[0-9]*/cmdline | cut -d/ -f3 | grep -v self'
    )
    const pid = samplers.stdout.split('\n').find((line) => line !== '1' && line !== '')
    assert.ok(pid !== undefined, samplers.stdout)
    await runner.exec('sh', '-c', `kill -9 ${pid}`)
    const isGone = async () => !(await states()).some((line) => line.startsWith(`${pid} `))
    await until('the end of the sampler', isGone, { againMs: 100 })
    await until('a runner that is ready again', async () => (await statusOf(`${url.runner}/readyz`)) === 200)
    assert.equal((await makePicture(deployment, 8)).toString('hex', 0, 4), PNG)
    assert.deepEqual(
      (await states()).filter((line) => / Z /.test(line)),
      []
    )
  })

  it('are healthy while they live, and not ready without Redis', async () => {
    const { api, control, runner, redis } = deployment
    const probe = async (container: typeof api, name: string) =>
      (await container.exec('node', '/app/infra/images/healthcheck.mjs', name)).code
    const all = (name: string) => Promise.all([api, control, runner].map((container) => probe(container, name)))
    assert.deepEqual(await all('readyz'), [0, 0, 0])
    redis.freeze()
    try {
      await until('processes that say so', async () => (await all('readyz')).every((code) => code === 1), { againMs: 200 })
      assert.deepEqual(await all('healthz'), [0, 0, 0])
    } finally {
      redis.thaw()
    }
    await until('processes that are ready again', async () => (await all('readyz')).every((code) => code === 0), { againMs: 200 })
  })

  it('end with 0 at SIGTERM', async () => {
    for (const container of [deployment.runner, deployment.control, deployment.api]) {
      assert.equal(await container.stop(), 0, await container.logs())
    }
    const left = await podman(['ps', '--format', '{{.Names}}'])
    assert.ok(!left.includes(deployment.api.name))
  })
})
