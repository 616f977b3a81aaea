import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createGeneration, type Generation, type Problem } from '@nextscale/openapi'
import { openGenerations } from '../generations/open.ts'
import type { Caller } from '../http/caller.ts'
import { ProblemError } from '../http/problem.ts'
import { connectProducer } from '../redis/connect.ts'
import { assertKept } from '../testing/contract.ts'
import { bodyOf, openTestApp, type TestApp } from '../testing/test-app.ts'
import { createInFlight } from './in-flight.ts'
import { until } from '@nextscale/platform/testing'

let context: TestApp
before(async () => {
  context = await openTestApp()
})
after(() => context.close())

const limitedKey = async (inFlight: number | null) => {
  const { token, record } = await context.createKey({
    limits: { requests_per_minute: null, in_flight: inFlight, streams: null }
  })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const post = () => context.app.inject({ method: 'POST', url: '/generate', headers, payload: '{}' })
  const act = (method: 'POST' | 'DELETE', url: string) =>
    context.app.inject({ method, url, headers: { authorization: headers.authorization } })
  const places = () => context.redis.zcard(context.keys.inFlight(record.id))
  return { post, act, places, id: record.id }
}

test('of fifty posts at once exactly as many are accepted as may be unfinished', async () => {
  const { post, places } = await limitedKey(5)
  const responses = await Promise.all(Array.from({ length: 50 }, post))
  const refused = responses.filter(({ statusCode }) => statusCode === 429)
  assert.equal(responses.filter(({ statusCode }) => statusCode === 202).length, 5)
  assert.equal(refused.length, 45)
  assert.equal(await places(), 5)
  for (const response of refused) {
    const { code, detail } = bodyOf<Problem>(response)
    assert.equal(code, 'too_many_in_flight')
    assert.match(detail, /5 unfinished generations/)
    assert.ok(Number(response.headers['retry-after']) >= 1)
  }
  assertKept(createGeneration, refused[0] ?? assert.fail())
})

test('a generation that has ended, been canceled or been erased leaves its place to the next', async () => {
  const { post, act } = await limitedKey(1)
  const first = bodyOf<Generation>(await post())
  assert.equal((await post()).statusCode, 429)
  await act('POST', `/generations/${first.id}/cancel`)
  const second = await post()
  assert.equal(second.statusCode, 202)
  const { id } = bodyOf<Generation>(second)
  await act('POST', `/generations/${id}/cancel`)
  assert.equal((await act('DELETE', `/generations/${id}`)).statusCode, 204)
  const third = await post()
  assert.equal(third.statusCode, 202)
  const runner = await context.runner(async () => ({ outcome: 'expired' }))
  await until('there is room', async () => (await post()).statusCode !== 429)
  await runner.close()
})

test('a place is given back when the queue refuses the generation, and kept when nobody knows whether it did', async (t) => {
  const { places, id } = await limitedKey(2)
  const redis = connectProducer(context.server.url, context.app.log)
  t.after(() => redis.disconnect())
  await new Promise((resolve) => redis.once('ready', resolve))
  const inFlight = createInFlight({ redis, keys: context.keys, reader: openGenerations(redis, context.keys).reader })
  const caller: Caller = { owner: id, scopes: [], limits: { requests_per_minute: null, in_flight: 2, streams: null } }
  await assert.rejects(
    inFlight.withPlace(caller, 'gen_a', () => Promise.reject(new Error('refused'))),
    /refused/
  )
  assert.equal(await places(), 0)
  const unanswered = new ProblemError('queue_unavailable', 'away')
  await assert.rejects(
    inFlight.withPlace(caller, 'gen_a', () => Promise.reject(unanswered)),
    unanswered
  )
  assert.equal(await places(), 1)
  await inFlight.reserve(caller, 'gen_a')
  assert.equal(await places(), 1)
  await inFlight.reserve(caller, 'gen_b')
  // Just reserved, with no job yet: nobody may take these two for finished.
  await assert.rejects(inFlight.reserve(caller, 'gen_c'), { code: 'too_many_in_flight' })
  await context.redis.zadd(context.keys.inFlight(id), Date.now() - 60_000, 'gen_a')
  await inFlight.reserve(caller, 'gen_c')
})

test('a key without this limit leaves no trace', async () => {
  const { post, places } = await limitedKey(null)
  assert.equal((await post()).statusCode, 202)
  assert.equal(await places(), 0)
})
