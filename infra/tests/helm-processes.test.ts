import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort, startRedis, temporaryFolder, until } from '@nextscale/platform/testing'
import { environmentOf } from './support/environment-of.ts'
import { missing } from './support/find-helm.ts'
import { type Pod, podsOf } from './support/kubernetes-object.ts'
import { render } from './support/render-chart.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const READY_DEADLINE_MS = 120_000
const PICTURE_TIMEOUT_MS = 60_000

/** What the image runs for the words of a container. */
const STARTS: Readonly<Record<string, string>> = {
  api: 'api/src/start.ts',
  control: 'api/src/control/start.ts',
  runner: 'gpu-runner/src/start.ts',
  'first-key': 'api/src/keys/cli/start.ts'
}

interface Started {
  pod: Pod
  env: Record<string, string>
  child: ChildProcess
  port: number
}

describe('the processes of the chart', { skip: missing }, () => {
  it('make a picture with nothing but what their pods give them, and end in time', async (t) => {
    const redis = await startRedis()
    t.after(() => redis.stop())
    const folder = await temporaryFolder(t)
    for (const name of ['data', 'cache', 'tmp']) await mkdir(join(folder, name))
    const pods = podsOf(await render('disk', { api: { shutdownDelaySeconds: 1 } }))
    const podOf = (component: string): Pod => {
      const [pod, ...others] = pods.filter((each) => each.component === component)
      assert.ok(pod && others.length === 0, component)
      return pod
    }

    /** Paths lie below the folder, and ports are free ones on loopback. */
    const prepare = async (pod: Pod) => {
      const given = await environmentOf(pod, folder)
      await writeFile(given['REDIS_URL_FILE'] ?? '', redis.url)
      const moved = Object.entries(given).map(([name, value]) => [name, value.replace(/^\/(data|cache)\b/, `${folder}/$1`)])
      const port = await freePort()
      const places = { HOST: '127.0.0.1', METRICS_HOST: '127.0.0.1', PORT: String(port), METRICS_PORT: String(port) }
      const used = Object.entries(places).filter(([name]) => name in given)
      const own = { HOME: join(folder, 'tmp'), TMPDIR: join(folder, 'tmp') }
      return { env: { ...Object.fromEntries([...moved, ...used]), ...own } as Record<string, string>, port }
    }
    const start = async (component: string): Promise<Started> => {
      const pod = podOf(component)
      const { env, port } = await prepare(pod)
      assert.deepEqual(pod.container.args, [component])
      const child = spawn(process.execPath, [join(ROOT, STARTS[component] ?? '')], { cwd: folder, env, stdio: 'ignore' })
      t.after(() => child.kill('SIGKILL'))
      return { pod, env, child, port }
    }
    const makeKey = async () => {
      const pod = podOf('first-key')
      const words = pod.container.args.slice(2).map((word) => word.replace(/^\/tmp\b/, join(folder, 'tmp')))
      const { env } = await prepare(pod)
      const options = { cwd: folder, env, timeout: READY_DEADLINE_MS }
      const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, STARTS['first-key'] ?? ''), ...words], options)
      return stdout.trim()
    }

    const key = await makeKey()
    const started = await Promise.all(['api', 'control', 'runner'].map(start))
    for (const { pod, port, child } of started) {
      const answers = (probe: 'readinessProbe' | 'livenessProbe') =>
        fetch(`http://127.0.0.1:${port}${pod.container[probe]?.httpGet.path}`, { signal: AbortSignal.timeout(2000) }).then(
          ({ status }) => status === 200,
          () => false
        )
      const isReady = async () => child.exitCode !== null || (await answers('readinessProbe'))
      await until(`${pod.of} is ready`, isReady, { deadlineMs: READY_DEADLINE_MS, againMs: 100 })
      assert.equal(child.exitCode, null, pod.of)
      assert.ok(await answers('livenessProbe'), pod.of)
    }

    const [api] = started
    const response = await fetch(`http://127.0.0.1:${api?.port}/generate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, accept: 'image/png', 'content-type': 'application/json' },
      body: JSON.stringify({ class_name: 'fox', seed: 7 }),
      signal: AbortSignal.timeout(PICTURE_TIMEOUT_MS)
    })
    assert.equal(response.status, 200)
    assert.equal(Buffer.from(await response.arrayBuffer()).toString('latin1', 1, 4), 'PNG')

    for (const { pod, child } of started) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const late = sleep(pod.spec.terminationGracePeriodSeconds * 1000, 'late', { ref: false })
      assert.deepEqual(await Promise.race([ended, late]), [0, null], pod.of)
    }
  })
})
