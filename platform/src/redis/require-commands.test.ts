import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { redisKeys } from '@nextscale/openapi'
import { Redis } from 'ioredis'
import { startRedis } from '../testing/index.ts'
import { aclRules, lackOfCommands } from './require-commands.ts'

const PREFIX = 'shop'
const keys = redisKeys(PREFIX)

/** A connection of a user with these rules. */
const connectAs = async (t: TestContext, rules: string): Promise<{ redis: Redis; admin: Redis }> => {
  const server = await startRedis()
  await server.redis.acl('SETUSER', 'nextscale', 'on', '>secret', ...rules.split(' '))
  const redis = new Redis(server.port, '127.0.0.1', { username: 'nextscale', password: 'secret' })
  redis.on('error', () => undefined)
  t.after(async () => {
    redis.disconnect()
    await server.stop()
  })
  return { redis, admin: server.redis }
}

test('the rules that are named are enough, and leave nothing behind', async (t) => {
  const { redis, admin } = await connectAs(t, aclRules(PREFIX))
  assert.equal(await lackOfCommands(redis, keys, PREFIX), undefined)
  assert.deepEqual(await admin.acl('LOG'), [])
  assert.deepEqual(await admin.keys('*'), [])
})

test('a user without a command is told which, and what to grant', async (t) => {
  const { redis } = await connectAs(t, '~* &* +@all -@admin -@dangerous')
  const rules = aclRules(PREFIX)
  assert.equal(
    await lackOfCommands(redis, keys, PREFIX),
    `The Redis user nextscale may not run INFO on the keys of this service: grant it \`${rules}\`.`
  )
})

const lacking: [rules: string, missing: RegExp][] = [
  ['~* &* +@all -eval -bzpopmin -zadd', / ZADD, BZPOPMIN, EVAL on /],
  ['~* &* +@all -multi', / MULTI on /],
  ['~* +@all', / PUBLISH, SUBSCRIBE on /],
  ['~other:* &* +@all', / GET, .* SET, .* ZADD, /],
  ['~* &* +@all -@write', / DEL, .* HSET, /]
]
for (const [rules, missing] of lacking) {
  test(`of \`${rules}\` what is missing is named`, async (t) => {
    const { redis, admin } = await connectAs(t, rules)
    assert.match((await lackOfCommands(redis, keys, PREFIX)) ?? '', missing)
    assert.deepEqual(await admin.keys('*'), [])
  })
}

test('a Redis that is full, or away, lacks nothing', async (t) => {
  const { redis, admin } = await connectAs(t, aclRules(PREFIX))
  await admin.config('SET', 'maxmemory', '1')
  assert.equal(await lackOfCommands(redis, keys, PREFIX), undefined)
  const away = new Redis(1, '127.0.0.1', { lazyConnect: true })
  assert.equal(await lackOfCommands(away, keys, PREFIX), undefined)
  away.disconnect()
})
