import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createRedis, type TestRedis } from './support/redis.ts'
import { freePort } from './support/free-port.ts'
import { until } from './support/until.ts'

const PROGRAMS = {
  api: { path: 'api/src/start.ts', ready: 'Listening at' },
  control: { path: 'api/src/control/start.ts', ready: 'control ready' },
  runner: { path: 'gpu-runner/src/start.ts', ready: 'runner ready' }
}
/** A namespace of processes of one's own, whose first one is started as a container's is. */
const NAMESPACE = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child']
const isPossible = spawnSync('unshare', [...NAMESPACE, 'true']).status === 0
const skip = isPossible ? false : 'unshare cannot make a namespace of processes here'
/** What ends a process that hears a signal comes long before what kills it. */
const SOON_MS = 5_000

let redis: TestRedis
let objects: string
before(async () => {
  redis = await createRedis()
  objects = await mkdtemp(join(tmpdir(), 'nextscale-objects-'))
})
after(async () => {
  await redis.close()
  await rm(objects, { recursive: true })
})

/** The process that is the first of its namespace. */
const firstOf = async ({ pid }: ChildProcess): Promise<number | undefined> => {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return Number(children.trim().split(' ')[0]) || undefined
}

const startFirst = async (t: TestContext, path: string, env: Record<string, string>) => {
  const program = fileURLToPath(new URL(`../../${path}`, import.meta.url))
  const child = spawn('unshare', [...NAMESPACE, process.execPath, program], {
    env: { PATH: process.env['PATH'], PORT: String(await freePort()), OBJECT_DIR: objects, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let said = ''
  const exit = once(child, 'exit')
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  t.after(() => child.kill('SIGKILL'))
  const first = await until('the first process', () => firstOf(child))
  const stop = async () => {
    const begun = Date.now()
    process.kill(first, 'SIGTERM')
    const [code] = await exit
    assert.equal(code, 0, said)
    assert.ok(Date.now() - begun < SOON_MS, `it took ${Date.now() - begun} ms to end`)
  }
  return { said: () => said, stop }
}

/** A server that takes every connection and answers none. */
const openSilence = async (t: TestContext) => {
  let asked = 0
  const server = createServer(() => (asked += 1)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  return { url: `http://127.0.0.1:${address.port}`, isAsked: () => Promise.resolve(asked > 0) }
}

for (const [name, { path, ready }] of Object.entries(PROGRAMS)) {
  test(`SIGTERM ends ${name} as the first process of a container`, { skip }, async (t) => {
    const started = await startFirst(t, path, { REDIS_URL: redis.url })
    await until(ready, () => Promise.resolve(started.said().includes(ready)))
    await started.stop()
  })

  test(`SIGTERM ends ${name} as the first process of a container also before it knows its settings`, { skip }, async (t) => {
    const silence = await openSilence(t)
    const started = await startFirst(t, path, {
      REDIS_SECRET_ARN: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:redis',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: silence.url,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'secret'
    })
    await until('it asks for its secret', silence.isAsked)
    await started.stop()
    assert.match(started.said(), /SIGTERM: stopped before it was ready/)
  })
}
