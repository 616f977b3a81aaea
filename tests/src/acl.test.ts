import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { deploy } from './support/deployment.ts'
import { createRedis } from './support/redis.ts'
import { startProcess } from './support/process.ts'
import { until } from './support/until.ts'

const README = new URL('../../README.md', import.meta.url)

/** The rules that the README gives a Redis user. */
const documentedRules = async (): Promise<string[]> => {
  const [, rules] = /^ACL SETUSER nextscale on >PASSWORD (.+)$/m.exec(await readFile(README, 'utf8')) ?? []
  assert.ok(rules, 'the README has the line of the user')
  return rules.split(' ')
}

const asUser = (url: string) => url.replace('redis://', 'redis://nextscale:secret@')

test('the Redis user of the README is enough for everything, and is refused nothing on the way', async (t) => {
  const service = await deploy({ user: { name: 'nextscale', rules: await documentedRules() } })
  t.after(() => service.close())
  const { client, redis } = service
  const admin = new Redis(redis.url)
  t.after(() => admin.disconnect())
  const made = await client.generate({ class_name: 'fox', previews: 'auto', stop_at_scale: 2 })
  assert.equal((await client.finish(made.id)).status, 'succeeded')
  const whole = await client.send('post', `/v1/generations/${made.id}/continue`, (sent) =>
    sent.set('idempotency-key', 'a').send({})
  )
  assert.equal((await client.finish((whole.body as { id: string }).id)).status, 'succeeded')
  const { id } = await client.generate({ num_images: 16 })
  await client.cancel(id)
  assert.equal((await client.send('delete', `/v1/generations/${made.id}`)).status, 204)
  assert.equal((await client.send('post', '/v1/webhooks/secret/rotate')).status, 200)
  for (const path of ['/v1/generations', '/v1/status', '/v1/models', '/v1/webhook-deliveries', '/readyz', '/metrics'])
    assert.equal((await client.send('get', path)).status, 200, path)
  await service.runner().end()
  assert.deepEqual(await admin.acl('LOG'), [])
})

test('a user who lacks a command ends every process at its start with a sentence that names it', async (t) => {
  const redis = await createRedis()
  t.after(() => redis.close())
  const admin = new Redis(redis.url)
  await admin.acl('SETUSER', 'nextscale', 'on', '>secret', '~*', '&*', '+@all', '-@admin', '-@dangerous')
  admin.disconnect()
  for (const program of ['api/src/start.ts', 'api/src/control/start.ts', 'gpu-runner/src/start.ts']) {
    const path = new URL(`../../${program}`, import.meta.url).pathname
    const started = startProcess(process.execPath, [path], { REDIS_URL: asUser(redis.url), PORT: '1', LOG_LEVEL: 'silent' })
    await until(`${program} has ended`, async () => !started.isRunning(), 30_000)
    assert.match(started.output(), /The Redis user nextscale may not run INFO on the keys of this service: grant it /, program)
  }
})

test('a user who loses a right makes the API not ready, and who gets it back ready again', async (t) => {
  const service = await deploy({ user: { name: 'nextscale', rules: ['~*', '&*', '+@all'] } })
  t.after(() => service.close())
  const admin = new Redis(service.redis.url)
  t.after(() => admin.disconnect())
  const reconnect = () => admin.client('KILL', 'USER', 'nextscale')
  const isReady = async () => (await fetch(`${service.baseUrl}/readyz`)).status === 200
  await admin.acl('SETUSER', 'nextscale', '-evalsha')
  await reconnect()
  await until('the API says what is missing', async () => service.api().output().includes('may not run EVALSHA'))
  assert.equal(await isReady(), false)
  await admin.acl('SETUSER', 'nextscale', '+evalsha')
  await reconnect()
  await until('the API is ready', isReady)
})
