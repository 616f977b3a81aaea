import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Generation, type Problem, redisKeys } from '@nextscale/openapi'
import { Redis } from 'ioredis'
import { createKey } from './keys/create.ts'
import { openDiskStore } from '@nextscale/platform/object-store'
import { modelCard } from './testing/model-card.ts'
import { freePort, type RedisServer, startRedis, until } from '@nextscale/platform/testing'

const START = fileURLToPath(new URL('start.ts', import.meta.url))

let redisServer: RedisServer
let directory: string
before(async () => {
  redisServer = await startRedis()
  directory = await mkdtemp(join(tmpdir(), 'nextscale-objects-'))
})
after(async () => {
  await redisServer.stop()
  await rm(directory, { recursive: true, force: true })
})

interface Run {
  process: ChildProcess
  output: () => string
  exit: Promise<unknown[]>
}

const start = (environment: Record<string, string>): Run => {
  const env = { PATH: process.env['PATH'] ?? '', REDIS_URL: redisServer.url, OBJECT_DIR: directory, ...environment }
  const child = spawn(process.execPath, [START], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  child.stdout.on('data', (chunk) => (text += String(chunk)))
  child.stderr.on('data', (chunk) => (text += String(chunk)))
  return { process: child, output: () => text, exit: once(child, 'exit') }
}

const untilServed = async (url: string): Promise<void> => {
  await until(`an answer of ${url}`, async () => (await fetch(url).catch(() => undefined))?.ok === true)
}

test('SIGTERM ends long polls with an answer and the process with 0', async () => {
  const redis = new Redis(redisServer.url)
  await redis.hset(redisKeys('nextscale').models, 'emoji-32', JSON.stringify(modelCard()))
  redis.disconnect()
  const port = await freePort()
  const run = start({ PORT: String(port) })
  const base = `http://127.0.0.1:${port}`
  await untilServed(`${base}/readyz`)
  const headers = { 'content-type': 'application/json' }
  const accepted = (await (await fetch(`${base}/generate`, { method: 'POST', headers, body: '{}' })).json()) as Generation
  const polled = fetch(`${accepted.urls.self}?wait=30`)
  await sleep(200)
  const signalledAt = performance.now()
  run.process.kill('SIGTERM')
  const response = await polled
  assert.equal(response.headers.get('connection'), 'close')
  assert.equal(((await response.json()) as Generation).status, 'queued')
  assert.deepEqual(await run.exit, [0, null])
  assert.ok(performance.now() - signalledAt < 2000)
})

test('named pipes in the place of pictures hold up neither what is asked for nor the end', async () => {
  const port = await freePort()
  const secret = 's'.repeat(40)
  const run = start({ PORT: String(port), LINK_SECRET: secret })
  const base = `http://127.0.0.1:${port}`
  await untilServed(`${base}/healthz`)
  const folder = join('generations', `gen_${'f'.repeat(26)}`)
  await mkdir(join(directory, folder), { recursive: true })
  const store = await openDiskStore({ kind: 'disk', directory, linkSecret: secret, linkTtlSeconds: 60 }, 'links')
  // Libuv has four threads for files.
  const links = await Promise.all(
    Array.from({ length: 8 }, async (_, at) => {
      execFileSync('mkfifo', [join(directory, folder, `${at}.png`)])
      return (await store.link(`${folder}/${at}.png`, { base, notAfter: Number.MAX_SAFE_INTEGER })).url
    })
  )
  const signal = AbortSignal.timeout(5000)
  const statuses = await Promise.all(links.map(async (link) => (await fetch(link, { signal })).status)).catch(() => [])
  run.process.kill('SIGTERM')
  const ended = await Promise.race([run.exit, sleep(5000, 'not ended', { ref: false })])
  run.process.kill('SIGKILL')
  assert.deepEqual([statuses, ended], [links.map(() => 404), [0, null]])
})

test('with a shutdown delay it is not ready but serves, each answer the last on its connection, until a second signal', async () => {
  const port = await freePort()
  const run = start({ PORT: String(port), SHUTDOWN_DELAY_MS: '300000' })
  const base = `http://127.0.0.1:${port}`
  await untilServed(`${base}/readyz`)
  const before = await fetch(`${base}/generations`)
  assert.equal(before.headers.get('connection'), 'keep-alive')
  run.process.kill('SIGTERM')
  await until('it is not ready', async () => (await fetch(`${base}/readyz`)).status !== 200)
  const refused = await fetch(`${base}/readyz`)
  assert.equal(refused.status, 503)
  assert.equal(((await refused.json()) as Problem).code, 'shutting_down')
  const served = await fetch(`${base}/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}'
  })
  assert.equal(served.status, 202)
  assert.equal(served.headers.get('connection'), 'close')
  run.process.kill('SIGTERM')
  assert.deepEqual(await run.exit, [0, null])
})

test('it stops as quickly when Redis is silent', async () => {
  const port = await freePort()
  const run = start({ PORT: String(port) })
  await untilServed(`http://127.0.0.1:${port}/readyz`)
  redisServer.freeze()
  const polled = fetch(`http://127.0.0.1:${port}/generations`)
  await sleep(50)
  run.process.kill('SIGINT')
  assert.equal((await polled).status, 503)
  assert.deepEqual(await run.exit, [0, null])
  redisServer.thaw()
})

test('a taken port, a bad setting and an open host are one sentence; exit code 78 says that starting again is of no use', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  const cases: [Record<string, string>, RegExp][] = [
    [{ PORT: port }, /^Port \d+ of 127\.0\.0\.1 is taken by another process: .*\n$/],
    [
      { OBJECT_DIR: '/dev/null/pictures' },
      /^OBJECT_DIR=\/dev\/null\/pictures cannot be used \(ENOTDIR.*set it to a directory.*\n$/
    ],
    [{ PORT: 'abc' }, /^PORT must be an integer from 1 to 65535, not "abc"\.\n$/],
    [
      { HOST: '0.0.0.0' },
      /^HOST=0\.0\.0\.0 opens the API to other machines.* there is none: make one with `npm run keys -- create .*UNAUTHENTICATED=allow.*\n$/
    ]
  ]
  for (const [environment, sentence] of cases) {
    const run = start({ LOG_LEVEL: 'silent', ...environment })
    // The port may be free the next time.
    assert.deepEqual(await run.exit, [environment['PORT'] === port ? 1 : 78, null])
    assert.match(run.output(), sentence)
  }
  taken.close()
})

test('beyond loopback it listens once there is a key, which every request then needs', async () => {
  const redis = new Redis(redisServer.url)
  const keys = redisKeys('with-key')
  await redis.hset(keys.models, 'emoji-32', JSON.stringify(modelCard()))
  const limits = { requests_per_minute: null, in_flight: null, streams: null }
  const { token } = await createKey({ redis, keys }, { name: 'a', scopes: ['read'], limits, expiresAt: null })
  redis.disconnect()
  const port = await freePort()
  const run = start({ PORT: String(port), HOST: '0.0.0.0', REDIS_PREFIX: 'with-key' })
  const base = `http://127.0.0.1:${port}`
  await untilServed(`${base}/readyz`)
  assert.equal((await fetch(`${base}/models`)).status, 401)
  assert.equal((await fetch(`${base}/models`, { headers: { authorization: `Bearer ${token}` } })).status, 200)
  run.process.kill('SIGTERM')
  assert.deepEqual(await run.exit, [0, null])
})

test('beyond loopback it listens while Redis is away, and takes nobody without a key', async () => {
  const port = await freePort()
  const run = start({ PORT: String(port), HOST: '0.0.0.0', REDIS_URL: `redis://127.0.0.1:${await freePort()}` })
  const base = `http://127.0.0.1:${port}`
  await untilServed(`${base}/healthz`)
  assert.equal((await fetch(`${base}/models`)).status, 401)
  run.process.kill('SIGTERM')
  assert.deepEqual(await run.exit, [0, null])
})
