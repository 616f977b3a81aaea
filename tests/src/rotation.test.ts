import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { deploy } from './support/deployment.ts'
import { createSecrets } from './support/secrets.ts'
import { until } from './support/until.ts'

const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:redis-AbCdEf'
/** With signs that mean something in URLs. */
const FIRST = 'p@ss/w:rd#1%'
const SECOND = 'other?&=+ 2'

interface Rotation {
  env: Record<string, string>
  /** Where the processes find the password. */
  tell: (redisUrl: string, password: string) => Promise<void>
}

/** The password of Redis changes and connections are cut, as a failover or a restart does. Nothing is restarted. */
const rotate = async (t: TestContext, { env, tell }: Rotation) => {
  let admin: Redis | undefined
  const service = await deploy({
    env: { REDIS_URL: '', ...env },
    prepare: async ({ redisUrl }) => {
      admin = new Redis(redisUrl)
      await admin.config('SET', 'requirepass', FIRST)
      await tell(redisUrl, FIRST)
    }
  })
  t.after(async () => {
    admin?.disconnect()
    await service.close()
  })
  const { client, redis } = service
  assert.ok(admin)
  assert.equal((await client.finish((await client.generate({})).id)).status, 'succeeded')
  await admin.config('SET', 'requirepass', SECOND)
  for (const type of ['normal', 'pubsub']) await admin.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
  await sleep(1_000)
  await tell(redis.url, SECOND)
  const isReady = async () => (await fetch(`${service.baseUrl}/readyz`)).status === 200
  await until('the API is ready again', isReady)
  const { id } = await client.generate({})
  assert.equal((await client.finish(id)).status, 'succeeded')
  const runsOn = [service.api(), service.control(), service.runner()].map((one) => one.isRunning())
  assert.deepEqual(runsOn, [true, true, true])
  await until('the control process is connected again', async () => {
    const list = String(await admin?.client('LIST'))
    return (
      list.split('\n').filter((line) => line.includes(' cmd=')).length > 3 &&
      /Redis is connected[^]*Redis is connected/.test(service.control().output())
    )
  })
  for (const one of [service.api(), service.control(), service.runner()])
    for (const password of [FIRST, SECOND])
      assert.ok(!one.output().includes(password) && !one.output().includes(encodeURIComponent(password)))
}

const withPassword = (url: string, password: string) => url.replace('redis://', `redis://:${encodeURIComponent(password)}@`)

test('a password that changes in REDIS_URL_FILE is taken up by API, control process and runner without a restart', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'nextscale-rotation-'))
  t.after(() => rm(folder, { recursive: true }))
  const REDIS_URL_FILE = join(folder, 'url')
  await rotate(t, {
    env: { REDIS_URL_FILE },
    tell: (url, password) => writeFile(REDIS_URL_FILE, `${withPassword(url, password)}\n`)
  })
})

test('a password that changes in the secret of REDIS_SECRET_ARN is taken up by API, control process and runner without a restart', async (t) => {
  const server = await createSecrets()
  t.after(() => server.close())
  const credentials = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }
  const env = { REDIS_SECRET_ARN: ARN, AWS_ENDPOINT_URL_SECRETS_MANAGER: server.url, ...credentials }
  let isPlain = true
  await rotate(t, {
    env,
    tell: (url, password) => {
      const full = withPassword(url, password)
      // First as it is, then as an object.
      server.secrets.set(ARN, isPlain ? full : JSON.stringify({ url: full }))
      isPlain = false
      return Promise.resolve()
    }
  })
  assert.deepEqual([...new Set(server.operations)], ['secretsmanager.GetSecretValue'])
})
