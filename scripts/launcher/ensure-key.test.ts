import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, test } from 'node:test'
import { redisKeys } from '@nextscale/openapi'
import { Redis } from 'ioredis'
import { freeLoopbackPort } from './choose-port.ts'
import { readConfig } from './config.ts'
import { ensureKey } from './ensure-key.ts'
import { linePrinter } from './print-lines.ts'
import { startRedis } from './start-redis.ts'

let home: string
let started: Awaited<ReturnType<typeof startRedis>>
let redis: Redis
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'nextscale-key-'))
  const lines = linePrinter({ out: new PassThrough().resume(), color: false })
  const stop = new AbortController().signal
  started = await startRedis({ home, prefix: 'test', lines, record: () => undefined, stop })
  redis = new Redis(started.url)
})
after(async () => {
  redis.disconnect()
  await started.server.stop()
  assert.equal(existsSync(join(home, 'redis/url')), false)
  await rm(home, { recursive: true })
})

const configured = (env: NodeJS.ProcessEnv = {}) =>
  readConfig({ PATH: process.env['PATH'], NEXTSCALE_HOME: home, REDIS_PREFIX: 'test', ...env })
const { apiKeys } = redisKeys('test')

test('the first start makes a key in the Redis it runs, and later starts use it', async () => {
  assert.equal(readFileSync(join(home, 'redis/url'), 'utf8'), `${started.url}\n`)
  const first = await ensureKey(configured(), { REDIS_URL: started.url })
  assert.equal(first.kind === 'local' && `${first.token}\n`, readFileSync(join(home, 'api-key'), 'utf8'))
  assert.deepEqual(await ensureKey(configured(), { REDIS_URL: started.url }), first)
  const [stored = '{}'] = await redis.hvals(apiKeys)
  const { name, scopes } = JSON.parse(stored) as { name: string; scopes: string[] }
  assert.deepEqual([name, scopes], ['local', ['generate', 'read', 'webhooks', 'admin']])
  await redis.del(apiKeys)
  assert.notDeepEqual(await ensureKey(configured(), { REDIS_URL: started.url }), first)
})

test('whoever is not its owner gets nowhere: no password on the command line, none in a file they can read', async () => {
  const { port, password } = new URL(started.url)
  assert.equal(password.length, 64)
  const stranger = new Redis(Number(port), '127.0.0.1', { lazyConnect: true, enableReadyCheck: false })
  stranger.on('error', () => undefined)
  await assert.rejects(stranger.hset(apiKeys, 'mine', '{}'), /NOAUTH/)
  stranger.disconnect()
  for (const file of ['redis.conf', 'url']) assert.equal(statSync(join(home, 'redis', file)).mode & 0o777, 0o600, file)
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const commandLines = processes.map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
    } catch {
      return ''
    }
  })
  assert.ok(!commandLines.some((line) => line.includes(password)))
})

test('in somebody’s Redis with keys of its own it makes none', async () => {
  await redis.del(apiKeys)
  await redis.hset(apiKeys, 'theirs', '{}')
  assert.deepEqual(await ensureKey(configured({ REDIS_URL: started.url }), {}), { kind: 'others' })
  assert.deepEqual(await redis.hkeys(apiKeys), ['theirs'])
})

test('where requests are taken without a key it makes none', async () => {
  await redis.del(apiKeys)
  assert.deepEqual(await ensureKey(configured({ UNAUTHENTICATED: 'allow' }), {}), { kind: 'none' })
  assert.equal(await redis.exists(apiKeys), 0)
})

test('a Redis that a file or a secret names is somebody’s', async (t) => {
  const file = join(home, 'redis-url')
  writeFileSync(file, `${started.url}\n`)
  t.after(() => redis.del(apiKeys))
  await redis.hset(apiKeys, 'theirs', '{}')
  assert.deepEqual(await ensureKey(configured({ REDIS_URL_FILE: file }), {}), { kind: 'others' })
  assert.equal(readConfig({ REDIS_SECRET_ARN: 'arn' }).hasRedis, true)
  assert.equal(readConfig({ REDIS_URL: ' ' }).hasRedis, false)
})

test('a Redis that is away is a sentence', async () => {
  const url = `redis://127.0.0.1:${await freeLoopbackPort()}`
  await assert.rejects(ensureKey(configured({ REDIS_URL: url }), {}), /Redis at .* does not serve.*ECONNREFUSED/)
})
