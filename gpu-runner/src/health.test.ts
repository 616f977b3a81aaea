import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort, startRedis, temporaryFolder, until } from '@nextscale/platform/testing'

const START = fileURLToPath(new URL('start.ts', import.meta.url))

/** A runner, and what it answers to probes: the status, and the reason where it is not ready. */
const start = async (t: TestContext, env: Record<string, string>) => {
  const port = await freePort()
  const folder = await temporaryFolder(t)
  const settings = { METRICS_PORT: String(port), OBJECT_DIR: folder, MODELS_CACHE_DIR: folder, CACHE_DIR: 'none', THREADS: '1' }
  const child = spawn(process.execPath, [START], { env: { ...settings, ...env }, stdio: 'ignore' })
  const exit: Promise<unknown[]> = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await exit
  })
  const probe = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined)
    if (answer === undefined) return undefined
    const { reason } = (await answer.json()) as { reason?: string }
    return reason === undefined ? answer.status : `${answer.status} ${reason}`
  }
  const isReady = (told: string | number) => until(String(told), async () => (await probe('/readyz')) === told)
  return { child, exit, probe, isReady }
}

/** Ids of a process' children. */
const childrenOf = async ({ pid }: ChildProcess): Promise<number[]> => {
  const tasks = await readdir(`/proc/${pid}/task`)
  const lists = await Promise.all(tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8')))
  return lists.flatMap((list) => list.trim().split(' ').filter(Boolean).map(Number))
}

test('while models are fetched it is alive and not ready, and a SIGTERM ends it at once', async (t) => {
  const S3_ENDPOINT = `http://127.0.0.1:${await freePort()}`
  const credentials = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }
  const runner = await start(t, { MODELS: 's3://models/away', S3_ENDPOINT, ...credentials })
  await runner.isReady('503 Models are being opened.')
  assert.equal(await runner.probe('/healthz'), 200)
  runner.child.kill('SIGTERM')
  assert.deepEqual((await runner.exit)[0], 0)
})

test('it is ready while models are open, the sampler is up and Redis answers, and says what is lacking else', async (t) => {
  const port = await freePort()
  const runner = await start(t, { REDIS_URL: `redis://127.0.0.1:${port}` })
  await runner.isReady('503 Redis cannot be reached.')
  assert.equal(await runner.probe('/healthz'), 200)
  const server = await startRedis(port)
  t.after(() => server.stop())
  await runner.isReady(200)

  for (const pid of await childrenOf(runner.child)) process.kill(pid, 'SIGKILL')
  await runner.isReady('503 The sampler is being started again.')
  await runner.isReady(200)

  server.freeze()
  await runner.isReady('503 Redis does not answer.')
  assert.equal(await runner.probe('/healthz'), 200)
  server.thaw()
  await runner.isReady(200)

  runner.child.kill('SIGTERM')
  // A probe on its way may come before the signal.
  await runner.probe('/readyz')
  await until('it ends', async () => {
    assert.notEqual(await runner.probe('/readyz'), 200)
    return runner.child.exitCode !== null
  })
  assert.deepEqual((await runner.exit)[0], 0)
})
