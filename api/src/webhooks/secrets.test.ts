import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { connectProducer } from '../redis/connect.ts'
import { openTestApp, type TestApp } from '../testing/test-app.ts'
import { createWebhookSecrets } from './secrets.ts'

const DAY_MS = 86_400_000

let context: TestApp
let redis: ReturnType<typeof connectProducer>
before(async () => {
  context = await openTestApp()
  redis = connectProducer(context.server.url, context.app.log)
  await new Promise((resolve) => redis.once('ready', resolve))
})
after(() => {
  redis.disconnect()
  return context.close()
})

/** Secrets as one process has them, by a clock of the test's own where it gives one. */
const open = (clock?: { now: number }) =>
  clock ? createWebhookSecrets(redis, context.keys, async () => clock.now) : createWebhookSecrets(redis, context.keys)

test('processes that draw at once agree, and each owner has a secret of its own', async () => {
  const drawn = await Promise.all(Array.from({ length: 8 }, () => open().signing('together')))
  assert.equal(new Set(drawn.map(([current]) => current)).size, 1)
  assert.match(drawn[0]?.[0] ?? '', /^whsec_[A-Za-z0-9+/]{43}=$/)
  assert.ok(drawn.every((secrets) => secrets.length === 1))
  assert.notDeepEqual(await open().signing('another'), drawn[0])
})

test('after a rotation both sign for a day, by the clock of Redis', async () => {
  const before = await open().read('rotates')
  const after = await open().rotate('rotates')
  assert.notEqual(after.secret, before.secret)
  assert.deepEqual(after.previous, { secret: before.secret, expiresAt: after.createdAt + DAY_MS })
  const [seconds] = await redis.time()
  assert.ok(Math.abs(after.createdAt - Number(seconds) * 1000) < 60_000)
  assert.deepEqual(await open().signing('rotates'), [after.secret, before.secret])
  assert.deepEqual(await open().read('rotates'), after)
})

test('the one before ends when its day is over', async () => {
  const clock = { now: 1_800_000_000_000 }
  const first = await open(clock).read('by-clock')
  const second = await open(clock).rotate('by-clock')
  clock.now += DAY_MS - 1
  assert.deepEqual(await open(clock).signing('by-clock'), [second.secret, first.secret])
  clock.now += 1
  assert.deepEqual(await open(clock).signing('by-clock'), [second.secret])
  assert.equal((await open(clock).read('by-clock')).previous, null)
})

test('rotating again ends the oldest at once', async () => {
  const oldest = await open().read('twice')
  const middle = await open().rotate('twice')
  const newest = await open().rotate('twice')
  assert.deepEqual(await open().signing('twice'), [newest.secret, middle.secret])
  assert.ok(!(await open().signing('twice')).includes(oldest.secret))
})

test('rotations at once each take effect: the last two sign', async () => {
  const views = await Promise.all(Array.from({ length: 8 }, () => open().rotate('race')))
  const [current, previous] = await open().signing('race')
  const drawn = views.map(({ secret }) => secret)
  assert.equal(new Set(drawn).size, 8)
  assert.ok(drawn.includes(current) && drawn.includes(previous ?? ''))
})

test('every process signs with the new secret once a rotation has returned, and does not ask each time', async () => {
  const here = open()
  const drawn = await here.signing('elsewhere')
  assert.equal(await here.signing('elsewhere'), drawn)
  const { secret } = await open().rotate('elsewhere')
  assert.equal((await here.signing('elsewhere'))[0], secret)
  const own = await here.rotate('elsewhere')
  assert.deepEqual(await here.signing('elsewhere'), [own.secret, secret])
})
