import assert from 'node:assert/strict'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it, type TestContext } from 'node:test'
import { startRedis, temporaryFolder } from '@nextscale/platform/testing'
import { buildImage, inspectImage } from './support/build-image.ts'
import { wantsGpuImage } from './support/config.ts'
import { demand, hasTool, missing, ROOT } from './support/podman.ts'
import { runContainer } from './support/start-container.ts'

const BUILD_MS = 40 * 60_000
const MAX_BYTES = 2.4e9
/** The wheels unpacked, and every layer that has their files. */
const NEEDED_BYTES = 12e9
const PROVIDER = '/app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so'

interface ImageFacts {
  readonly Size: number
  readonly Config: { readonly User: string; readonly Cmd: readonly string[]; readonly Env: readonly string[] }
}

const freeBytes = async () => {
  const { bavail, bsize } = await statfs(ROOT)
  return bavail * bsize
}

const lack = async (): Promise<string | false> => {
  if (!wantsGpuImage()) return 'it fetches 2 GB and takes minutes: set GPU_IMAGE=1'
  if (process.arch !== 'x64') return 'the image is for amd64 alone'
  if (!(await hasTool('cc'))) return 'there is no C compiler for a stub of the driver'
  return (await freeBytes()) < NEEDED_BYTES ? 'there are less than 12 GB of disk' : missing
}

describe('the image with CUDA', { skip: await lack() }, () => {
  let image: string
  before(async () => void (image = await buildImage('nextscale-gpu', { timeoutMs: BUILD_MS })), { timeout: BUILD_MS })

  /** Starts a runner to its end, with what lies in a folder before the system's libraries. */
  const startRunner = async (t: TestContext, libraries?: string) => {
    const redis = await startRedis()
    t.after(() => redis.stop())
    const env = { REDIS_URL: redis.url, METRICS_PORT: '', ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: '/driver' }) }
    const volumes = libraries === undefined ? [] : [`${libraries}:/driver:ro`]
    return runContainer({ image, env, volumes, options: ['--tmpfs', '/cache:rw,mode=1777'] })
  }

  it('is a runner for a user by number, of a bounded size', async (t) => {
    const { Size, Config } = (await inspectImage(image)) as ImageFacts
    t.diagnostic(`${Math.round(Size / 1e6)} MB`)
    assert.ok(Size < MAX_BYTES, `${Size}`)
    assert.equal(Config.User, '10001:10001')
    assert.deepEqual(Config.Cmd, ['runner'])
    assert.ok(Config.Env.includes('EXECUTION_PROVIDER=cuda'))
  })

  it('has every library but the one that comes with the driver', async () => {
    const { stdout } = await runContainer({ image, options: ['--entrypoint', 'ldd'], command: [PROVIDER] })
    const absent = stdout.split('\n').filter((line) => line.includes('not found'))
    assert.deepEqual(
      absent.map((line) => line.trim().split(' ')[0]),
      ['libcuda.so.1']
    )
    assert.match(stdout, /libcublasLt\.so\.13 => \/usr\/local\/lib\/nvidia\//)
  })

  it('has what is opened on demand: cuDNN and the compiler of kernels', async () => {
    const { stdout } = await runContainer({ image, options: ['--entrypoint', 'ldconfig'], command: ['-p'] })
    for (const name of ['libcudnn.so.9', 'libnvrtc.so.13']) assert.ok(stdout.includes(`${name} (`), name)
  })

  it('says which library is missing where there is no driver', async (t) => {
    const { code, stdout, stderr } = await startRunner(t)
    assert.equal(code, 78, stderr)
    assert.match(stdout + stderr, /libcuda\.so\.1/)
  })

  it('loads all there is up to a driver without a device', async (t) => {
    const folder = await temporaryFolder(t)
    const source = join(ROOT, 'infra', 'tests', 'support', 'libcuda-stub.c')
    await demand('cc', ['-shared', '-fPIC', '-O1', '-Wl,-soname,libcuda.so.1', '-o', join(folder, 'libcuda.so.1'), source])
    await demand('chmod', ['-R', 'a+rX', folder])
    const { code, stdout, stderr } = await startRunner(t, folder)
    assert.notEqual(code, 0)
    // The runner's sentence for what onnxruntime says once all is loaded.
    assert.match(stdout + stderr, /EXECUTION_PROVIDER=cuda found no GPU/)
    assert.doesNotMatch(stdout + stderr, /cannot open shared object/)
  })
})
