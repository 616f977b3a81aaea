import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { listModels, type Problem } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { buildApp } from '../build-app.ts'
import { readConfig } from '../config.ts'
import type { KeyLimits } from '../keys/record.ts'
import { namedReply } from '../redis/named-reply.ts'
import { type RequestReply, TAKE_REQUEST } from '../redis/take-request.ts'
import { assertKept } from '../testing/contract.ts'
import { bodyOf, openTestApp, type TestApp, untilReady } from '../testing/test-app.ts'
import { until } from '@nextscale/platform/testing'

let context: TestApp
let second: FastifyInstance
before(async () => {
  context = await openTestApp()
  second = await buildApp(readConfig({ REDIS_URL: context.server.url, OBJECT_DIR: context.directory, LOG_LEVEL: 'silent' }))
  await untilReady(second)
})
after(async () => {
  await second.close()
  await context.close()
})

const keyWith = async (limits: Partial<KeyLimits>) => {
  const { token, record } = await context.createKey({
    limits: { requests_per_minute: null, in_flight: null, streams: null, ...limits }
  })
  return { headers: { authorization: `Bearer ${token}` }, id: record.id }
}

test('of many requests at once, through two servers, exactly as many are taken as the key may make', async () => {
  const { headers } = await keyWith({ requests_per_minute: 5 })
  const apps = Array.from({ length: 60 }, (_, index) => (index % 2 === 0 ? context.app : second))
  const responses = await Promise.all(apps.map((app) => app.inject({ url: '/models', headers })))
  const taken = responses.filter(({ statusCode }) => statusCode === 200)
  const refused = responses.filter(({ statusCode }) => statusCode === 429)
  assert.deepEqual([taken.length, refused.length], [5, 55])
  const remaining = taken.map((response) => Number(/^"requests";r=(\d+);t=\d+$/.exec(String(response.headers['ratelimit']))?.[1]))
  assert.deepEqual(new Set(remaining), new Set([0, 1, 2, 3, 4]))
  for (const response of responses) assert.equal(response.headers['ratelimit-policy'], '"requests";q=5;w=60')
  for (const response of refused) {
    const { code, detail, retryable } = bodyOf<Problem>(response)
    assert.deepEqual([code, retryable], ['rate_limited', true])
    assert.match(detail, /5 requests a minute/)
    assert.match(String(response.headers['ratelimit']), /^"requests";r=0;t=\d+$/)
    // The first of five comes back after a fifth of the minute.
    const seconds = Number(response.headers['retry-after'])
    assert.ok(seconds >= 1 && seconds <= 12, String(seconds))
  }
  assertKept(listModels, refused[0] ?? assert.fail())
})

test('after Retry-After the next request is taken, and not the one after it', async () => {
  const { id } = await keyWith({})
  const take = async () =>
    namedReply<RequestReply>(await context.redis.eval(TAKE_REQUEST.lua, 1, context.keys.rate(id), 1, 100_000))
  assert.equal((await take()).taken, 1)
  const { taken, remaining, untilNext } = await take()
  assert.deepEqual([taken, remaining], [0, 0])
  assert.ok(untilNext > 0 && untilNext <= 100_000)
  await until('one more may be taken', async () => (await take()).taken === 1)
  assert.equal((await take()).taken, 0)
})

test('every answer to a key with a limit tells what is left, refusals too; others tell nothing and ask Redis nothing', async () => {
  const limited = await keyWith({ requests_per_minute: 60 })
  const missing = await context.app.inject({ url: '/models/none', headers: limited.headers })
  assert.equal(missing.statusCode, 404)
  assert.equal(missing.headers['ratelimit'], '"requests";r=59;t=1')
  const invalid = await context.app.inject({ url: '/generations?limit=x', headers: limited.headers })
  assert.equal(invalid.statusCode, 400)
  assert.match(String(invalid.headers['ratelimit']), /^"requests";r=5[89];t=[12]$/)
  const free = await keyWith({})
  const response = await context.app.inject({ url: '/models', headers: free.headers })
  assert.equal(response.statusCode, 200)
  assert.deepEqual([response.headers['ratelimit'], response.headers['ratelimit-policy']], [undefined, undefined])
  assert.equal(await context.redis.exists(context.keys.rate(free.id)), 0)
})

test('a key that makes no more requests leaves nothing behind', async () => {
  const { headers, id } = await keyWith({ requests_per_minute: 60_000 })
  await context.app.inject({ url: '/models', headers })
  await until('nothing is left', async () => (await context.redis.exists(context.keys.rate(id))) === 0)
})
