import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { getGeneration, type Generation, type Problem } from '@nextscale/openapi'
import { until } from '@nextscale/platform/testing'
import type { Redis } from 'ioredis'
import type { Caller } from '../http/caller.ts'
import { connectProducer } from '../redis/connect.ts'
import { assertKept } from '../testing/contract.ts'
import { bodyOf, openTestApp, type TestApp } from '../testing/test-app.ts'
import { createStreams } from './streams.ts'

let context: TestApp
let redis: Redis
before(async () => {
  context = await openTestApp()
  redis = connectProducer(context.server.url, context.app.log)
  await new Promise((resolve) => redis.once('ready', resolve))
})
after(async () => {
  redis.disconnect()
  await context.close()
})

const callerOf = (owner: string, streams: number | null): Caller => ({
  owner,
  scopes: ['read'],
  limits: { requests_per_minute: null, in_flight: null, streams }
})
const open = (lapseMs = 30_000, limit = 100) => createStreams({ redis, keys: context.keys, limit, lapseMs })
const REFUSAL = { code: 'too_many_streams' }

test('a caller has so many streams at once over all processes, and a place that is left can be taken', async () => {
  const [one, two] = [open(), open()]
  const caller = callerOf('many', 3)
  const entered = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => (index % 2 ? one : two).enter(caller)))
  const leaves = entered.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
  assert.equal(leaves.length, 3)
  await assert.rejects(one.enter(caller), REFUSAL)
  leaves[0]?.()
  leaves[0]?.()
  const again = await two.enter(caller)
  await assert.rejects(one.enter(caller), REFUSAL)
  for (const leave of [again, ...leaves]) leave()
  assert.equal(await redis.exists(context.keys.streams('many')), 0)
})

test('places of a process that was killed lapse, and those that are open do not', async () => {
  const caller = callerOf('killed', 2)
  const LAPSE_MS = 1500
  const [killed, living] = [open(LAPSE_MS), open(LAPSE_MS)]
  await killed.enter(caller)
  const leave = await living.enter(caller)
  killed.close()
  await assert.rejects(living.enter(caller), REFUSAL)
  await sleep(2 * LAPSE_MS)
  const second = await living.enter(caller)
  await assert.rejects(living.enter(caller), REFUSAL)
  leave()
  second()
})

test('a process has so many streams and waits at once, whoever has them; a refusal of a key takes none of them', async () => {
  const streams = open(30_000, 2)
  const [few, others] = [callerOf('few', 1), callerOf('others', null)]
  const leave = await streams.enter(few)
  await assert.rejects(streams.enter(few), /^ProblemError: The API key has 1 open streams/)
  const leaveOther = await streams.enter(others)
  for (const caller of [others, few]) await assert.rejects(streams.enter(caller), /^ProblemError: This server has 2 /)
  leaveOther()
  leaveOther()
  const again = await streams.enter(others)
  await assert.rejects(streams.enter(others), REFUSAL)
  again()
  leave()
})

test('MAX_STREAMS bounds waits and streams together, and a wait that is refused makes nothing', async () => {
  const small = await openTestApp({ MAX_STREAMS: '1' })
  const headers = { 'content-type': 'application/json' }
  const post = (prefer: string) =>
    small.app.inject({ method: 'POST', url: '/generate', headers: { ...headers, prefer }, payload: '{}' })
  const { id } = bodyOf<Generation>(await post(''))
  const read = async (rest: string) => small.app.inject(`/generations/${id}${rest}`)
  const waiting = read('?wait=30')
  await until('the wait', async () => (await read('?wait=1')).statusCode === 429)
  for (const refused of [await read('?wait=1'), await read('/events')]) {
    assert.equal(bodyOf<Problem>(refused).code, 'too_many_streams')
  }
  assert.equal(bodyOf<Problem>(await post('wait=5')).code, 'too_many_streams')
  assert.equal(await small.queue.count(), 1)
  await small.app.inject({ method: 'POST', url: `/generations/${id}/cancel` })
  assert.equal(bodyOf<Generation>(await waiting).status, 'canceled')
  assert.equal((await read('?wait=1')).statusCode, 200)
  await small.close()
})

test('without a limit nothing is written', async () => {
  const leave = await open().enter(callerOf('free', null))
  assert.equal(await redis.exists(context.keys.streams('free')), 0)
  leave()
})

test('waits count as streams: one too many is refused, reading is not, and the end of a wait frees its place', async () => {
  const { token, record } = await context.createKey({ limits: { requests_per_minute: null, in_flight: null, streams: 1 } })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const { id } = bodyOf<Generation>(await context.app.inject({ method: 'POST', url: '/generate', headers, payload: '{}' }))
  const get = (query: string) =>
    context.app.inject({ url: `/generations/${id}${query}`, headers: { authorization: headers.authorization } })
  const waiting = get('?wait=30')
  const places = () => redis.zcard(context.keys.streams(record.id))
  await until('the wait', async () => (await places()) > 0)
  const refused = await get('?wait=1')
  assertKept(getGeneration, refused)
  assert.equal(bodyOf<Problem>(refused).code, 'too_many_streams')
  assert.ok(Number(refused.headers['retry-after']) >= 1)
  assert.equal((await get('')).statusCode, 200)
  await context.app.inject({
    method: 'POST',
    url: `/generations/${id}/cancel`,
    headers: { authorization: headers.authorization }
  })
  assert.equal(bodyOf<Generation>(await waiting).status, 'canceled')
  assert.equal((await get('?wait=1')).statusCode, 200)
})
