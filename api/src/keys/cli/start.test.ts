import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { redisKeys } from '@nextscale/openapi'
import { Redis } from 'ioredis'
import { freePort, type RedisServer, startRedis, startSecrets } from '@nextscale/platform/testing'
import { parseRecord } from '../record.ts'
import { parseToken } from '../token.ts'

const START = fileURLToPath(new URL('start.ts', import.meta.url))
const { apiKeys } = redisKeys('nextscale')

let server: RedisServer
let redis: Redis
let directory: string
before(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
  directory = await mkdtemp(join(tmpdir(), 'nextscale-keys-'))
})
beforeEach(() => redis.flushall())
after(async () => {
  redis.disconnect()
  await server.stop()
  await rm(directory, { recursive: true, force: true })
})

const run = async (args: string[], environment: Record<string, string> = { REDIS_URL: server.url }) => {
  const env = { PATH: process.env['PATH'] ?? '', NEXTSCALE_HOME: directory, ...environment }
  const child = spawn(process.execPath, [START, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close') as Promise<[number | null]>
  const [[status], stdout, stderr] = await Promise.all([closed, text(child.stdout), text(child.stderr)])
  return { status, stdout, stderr }
}

const create = ['create', '--name', 'ci', '--scopes', 'read,generate']
const ensure = () => ['ensure', '--file', join(directory, 'key'), '--name', 'local', '--scopes', 'admin']

test('a key is made, printed once, listed without its secret, and revoked', async () => {
  const limits = ['--requests-per-minute', '60', '--in-flight', '4', '--streams', '2', '--expires-days', '30']
  const { status, stdout, stderr } = await run([...create, ...limits])
  assert.deepEqual([status, stderr], [0, ''])
  const { id, secret } = parseToken(stdout.trim()) ?? assert.fail(stdout)
  const record = parseRecord((await redis.hget(apiKeys, id)) ?? '') ?? assert.fail()
  assert.deepEqual(record.limits, { requests_per_minute: 60, in_flight: 4, streams: 2 })
  assert.deepEqual(record.scopes, ['generate', 'read'])
  assert.equal(Math.round((Date.parse(record.expires_at ?? '') - Date.now()) / 86_400_000), 30)
  const listed = await run(['list'])
  assert.match(listed.stdout, new RegExp(`^${id} +ci +…${secret.slice(-4)} +generate,read +60 +4 +2 +\\S+ +\\S+\n$`, 'm'))
  assert.ok(!listed.stdout.includes(secret))
  assert.equal((await run(['revoke', id])).stdout, `${id} is revoked.\n`)
  assert.equal(await redis.hlen(apiKeys), 0)
  assert.equal((await run(['list'])).stdout, 'There is no API key.\n')
})

test('what cannot be done is one sentence that names the flag and the way out, and a wrong command line exits with 2', async () => {
  const cases: [string[], RegExp][] = [
    [['create', '--scopes', 'read'], /--name is missing: give/],
    [['create', '--name', 'a'], /--scopes is missing: .* Scopes are generate, read, webhooks, admin/],
    [['create', '--name', 'a', '--scopes', 'read,write'], /--scopes has "write", which is no scope/],
    [['create', '--name', '\u0007', '--scopes', 'read'], /--name takes 1 to 64 letters/],
    [[...create, '--streams', '0'], /--streams takes an integer between 1 and 1000000, not "0"/],
    [[...create, '--expires-days', '1.5'], /--expires-days takes an integer/],
    [[...create, '--limit', '1'], /Unknown option '--limit'.* Usage: nextscale keys create/],
    [['revoke'], /1 arguments are expected.* Usage: nextscale keys revoke ID/],
    [['revoke', 'none'], /no API key with this id. `nextscale keys list`/],
    [['ensure', '--name', 'a', '--scopes', 'read'], /--file is missing/],
    [['delete'], /There is no "keys delete": the verbs are create, list, revoke, ensure/]
  ]
  for (const [args, sentence] of cases) {
    const { status, stdout, stderr } = await run(args)
    assert.equal(status, args.includes('none') ? 1 : 2, args.join(' '))
    assert.equal(stdout, '')
    assert.match(stderr, sentence)
    assert.equal(stderr.trim().split('\n').length, 1)
  }
  assert.equal(await redis.hlen(apiKeys), 0)
})

test('what is said of arguments commands no terminal', async () => {
  const { status, stderr } = await run(['\u001b]0;title\u0007\u009b31mdelete'])
  assert.deepEqual(
    [status, stderr],
    [2, 'nextscale keys: There is no "keys delete": the verbs are create, list, revoke, ensure.\n']
  )
})

test('when Redis is away, it is named without its password', async () => {
  const port = await freePort()
  const { status, stderr } = await run(['list'], { REDIS_URL: `redis://user:hunter2@127.0.0.1:${port}` })
  assert.equal(status, 1)
  assert.match(
    stderr,
    new RegExp(`^nextscale keys: Redis at 127.0.0.1:${port} \\(from REDIS_URL\\) .*ECONNREFUSED.* set REDIS_URL`)
  )
  assert.doesNotMatch(stderr, /hunter2/)
})

test('with nothing set it uses the Redis that npm start runs, and the prefix it is told', async () => {
  await mkdir(join(directory, 'redis'), { recursive: true })
  await writeFile(join(directory, 'redis/url'), `${server.url}\n`)
  assert.equal((await run(create, {})).status, 0)
  assert.equal(await redis.hlen(apiKeys), 1)
  assert.equal((await run(create, { REDIS_PREFIX: 'other' })).status, 0)
  assert.equal(await redis.hlen(redisKeys('other').apiKeys), 1)
})

test('a file keeps one key for its owner alone, until it is revoked or Redis has forgotten it', async () => {
  const first = (await run(ensure())).stdout
  const file = join(directory, 'key')
  assert.equal(await readFile(file, 'utf8'), first)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await run(ensure())).stdout, first)
  assert.equal(await redis.hlen(apiKeys), 1)
  await redis.flushall()
  const second = (await run(ensure())).stdout
  assert.notEqual(second, first)
  await run(['revoke', parseToken(second.trim())?.id ?? ''])
  await run(create)
  const none = await run([...ensure(), '--unless-others'])
  assert.deepEqual(none, { status: 0, stdout: '', stderr: '' })
  assert.equal(await redis.hlen(apiKeys), 1)
  const third = await run(ensure())
  assert.equal(await readFile(file, 'utf8'), third.stdout)
  assert.equal((await run([...ensure(), '--unless-others'])).stdout, third.stdout)
})

test('with --quiet a file has the key, and what is printed has not', async () => {
  await rm(join(directory, 'key'), { force: true })
  for (const start of ['first', 'second']) {
    assert.deepEqual(await run([...ensure(), '--quiet']), { status: 0, stdout: '', stderr: '' }, start)
  }
  const token = (await readFile(join(directory, 'key'), 'utf8')).trim()
  assert.deepEqual(await redis.hkeys(apiKeys), [parseToken(token)?.id])
})

test('a key is kept in a secret of AWS, which is not printed, and made again when it is no longer valid', async () => {
  const secrets = await startSecrets()
  try {
    const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbCdEf'
    const env = {
      REDIS_URL: server.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'secret'
    }
    const keep = ['ensure', '--secret', arn, '--name', 'first', '--scopes', 'admin']
    const refused = await run(keep, env)
    assert.equal(refused.status, 1)
    assert.match(
      refused.stderr,
      /cannot be used \(ResourceNotFoundException\): let this process call secretsmanager:PutSecretValue/
    )
    assert.equal(await redis.hlen(apiKeys), 0)
    secrets.secrets.set(arn, 'none yet')
    assert.deepEqual(await run(keep, env), { status: 0, stdout: `The key is in ${arn}.\n`, stderr: '' })
    const first = secrets.secrets.get(arn) ?? ''
    assert.ok(parseToken(first))
    await run(keep, env)
    assert.equal(secrets.secrets.get(arn), first)
    await redis.flushall()
    await run(keep, env)
    assert.notEqual(secrets.secrets.get(arn), first)
  } finally {
    await secrets.close()
  }
})
