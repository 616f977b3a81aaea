import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { type Generation, getGeneration } from '@nextscale/openapi'
import { WaitingError } from 'bullmq'
import { createLapsedSweep } from '../control/sweep-lapsed.ts'
import { OWNER } from '../owner.ts'
import { assertKept } from '../testing/contract.ts'
import { bodyOf, openTestApp, type RunnerJob, type TestApp } from '../testing/test-app.ts'
import { openGenerations } from './open.ts'
import { SCRIPTS } from '../redis/connect.ts'
import { Redis } from 'ioredis'
import { until } from '@nextscale/platform/testing'

let context: TestApp
let redis: Redis
before(async () => {
  context = await openTestApp()
  redis = new Redis(context.server.url, { scripts: SCRIPTS })
})
after(async () => {
  redis.disconnect()
  await context.close()
})
beforeEach(() => context.queue.obliterate({ force: true }))

const read = async (id: string): Promise<Generation> => {
  const response = await context.app.inject(`/generations/${id}`)
  assertKept(getGeneration, response)
  return bodyOf<Generation>(response)
}

/** Makes a generation older than it is, as if everybody's clock had gone on. */
const age = (id: string, seconds: number) =>
  context.redis.hset(context.queue.toKey(id), 'timestamp', String(Date.now() - seconds * 1000))

/** Keys of the script that records an end. */
const placesOf = (id: string) => {
  const { keys } = context
  return [keys.cancelMark(id), keys.unreleased, keys.pools] as const
}

const isQueued = async (id: string) => (await context.queue.getJob(id)) !== undefined

/** Has a runner take a job up, and lets the test decide what becomes of it. */
const takeUp = async (act: (job: RunnerJob, token: string | undefined) => Promise<unknown>) => {
  let taken = () => {}
  const active = new Promise<void>((resolve) => (taken = resolve))
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  const worker = await context.runner(async (job: RunnerJob, token?: string) => {
    taken()
    await released
    return act(job, token)
  })
  await active
  const settled = new Promise<void>((resolve) => worker.once('completed', () => resolve()))
  return { release, settled, close: () => worker.close(true) }
}

/** All that stays: links are minted anew on every read. */
const withoutLinks = ({ urls: _urls, ...rest }: Generation) => rest

test('one that nobody started in time is expired at its deadline, leaves the queue, and stays expired', async () => {
  const { id, created_at } = await context.generate({ start_deadline_seconds: 5 })
  assert.equal((await read(id)).status, 'queued')
  await age(id, 6)
  const expired = await read(id)
  assert.deepEqual([expired.status, expired.error, expired.outputs], ['expired', null, []])
  assert.ok(Date.parse(expired.completed_at ?? '') < Date.parse(created_at))
  assert.equal(await isQueued(id), false)
  assert.deepEqual(withoutLinks(await read(id)), withoutLinks(expired))
})

test('one that waited past its deadline is canceled with the reason', async () => {
  const { id } = await context.generate({ deadline_seconds: 5 })
  await age(id, 6)
  const canceled = await read(id)
  assert.equal(canceled.status, 'canceled')
  assert.deepEqual([canceled.error?.code, canceled.error?.retryable], ['deadline_exceeded', true])
  const listed = bodyOf<{ data: Generation[] }>(await context.app.inject('/generations?status=canceled')).data
  assert.deepEqual(listed.filter((one) => one.id === id).map(withoutLinks), [canceled].map(withoutLinks))
})

test('a start deadline does not count for one that was started and waits again', async () => {
  const { id } = await context.generate({ start_deadline_seconds: 5 })
  const runner = await takeUp(async (job, token) => {
    await job.moveToDelayed(Date.now() + 3_600_000, token)
    throw new WaitingError()
  })
  runner.release()
  await until('it waits for another attempt', async () => (await context.queue.getDelayedCount()) > 0)
  await age(id, 6)
  assert.equal((await read(id)).status, 'queued')
  await age(id, 601)
  assert.equal((await read(id)).error?.code, 'deadline_exceeded')
  await runner.close()
})

test('one that runs is not ended by whoever reads it: its runner does that', async () => {
  const { id } = await context.generate({ start_deadline_seconds: 5, deadline_seconds: 5 })
  const runner = await takeUp(async () => ({ outcome: 'canceled', reason: 'deadline' }))
  await age(id, 6)
  assert.equal((await read(id)).status, 'running')
  assert.equal(await context.redis.exists(context.keys.cancelMark(id)), 0)
  runner.release()
  await runner.settled
  const ended = await read(id)
  assert.deepEqual([ended.status, ended.error?.code], ['canceled', 'deadline_exceeded'])
  await runner.close()
})

test('taken up between the end and its removal from the queue, it stays ended while a runner holds it and when that is lost', async () => {
  const { id } = await context.generate({ start_deadline_seconds: 5 })
  await age(id, 6)
  // As recordLapse does, up to the moment at which the API is killed.
  const payload = (await context.queue.getJob(id))?.data
  const mark = JSON.stringify({ canceled_at: Date.now() - 1000, outcome: 'expired', created_at: Date.now() - 6000, payload })
  const keys = placesOf(id)
  assert.equal(await redis.markLapsed(...keys, mark, 60, id), 1)
  const runner = await takeUp(async (job, token) => {
    await job.moveToDelayed(Date.now() + 3_600_000, token)
    throw new WaitingError()
  })
  const held = await read(id)
  assert.equal(held.status, 'expired')
  runner.release()
  await until('it waits for another attempt', async () => (await context.queue.getDelayedCount()) > 0)
  const lost = await read(id)
  assert.deepEqual([lost.status, lost.completed_at], ['expired', held.completed_at])
  await runner.close()
})

test('an end is recorded only of a job that still waits', async () => {
  const { id } = await context.generate()
  const keys = placesOf(id)
  const runner = await takeUp(async () => ({ outcome: 'expired' }))
  assert.equal(await redis.markLapsed(...keys, '{}', 60, id), 0)
  runner.release()
  await runner.settled
  assert.equal(await redis.markLapsed(...keys, '{}', 60, id), 0)
  assert.equal(await redis.exists(context.keys.cancelMark(id)), 0)
  await runner.close()
})

test('a caller who canceled first is believed, whatever passes afterwards', async () => {
  const { id } = await context.generate({ deadline_seconds: 5, start_deadline_seconds: 3 })
  const canceled = bodyOf<Generation>(await context.app.inject({ method: 'POST', url: `/generations/${id}/cancel` }))
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual([canceled.status, canceled.error], ['canceled', null])
  assert.deepEqual(withoutLinks(await read(id)), withoutLinks(canceled))
})

test('while the end cannot be recorded, it has not come', async () => {
  const { id } = await context.generate({ start_deadline_seconds: 5 })
  await age(id, 6)
  // Refuses everything that writes.
  await context.redis.config('SET', 'min-replicas-to-write', '1')
  assert.equal((await read(id)).status, 'queued')
  await context.redis.config('SET', 'min-replicas-to-write', '0')
  assert.equal((await read(id)).status, 'expired')
})

test('those nobody reads are taken out of the queue by the sweep, and the others are left', async () => {
  const ids = await Promise.all(Array.from({ length: 7 }, async () => (await context.generate({ start_deadline_seconds: 5 })).id))
  const old = ids.slice(0, 5)
  for (const id of old) await age(id, 6)
  const { queue } = context
  const { queues, reader } = openGenerations(redis, context.keys)
  const { signal } = new AbortController()
  const sweep = createLapsedSweep({ redis, queues, reader, signal })
  await Promise.all([sweep(), createLapsedSweep({ redis, queues, reader, signal })()])
  assert.equal(await queue.getPrioritizedCount(), 2)
  for (const id of ids) assert.equal((await reader.read(OWNER, id)).kind, old.includes(id) ? 'removed' : 'job')
})
