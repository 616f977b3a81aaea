import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { terminalDeliveryId } from '@nextscale/openapi'
import { UnrecoverableError } from 'bullmq'
import { createUnreleasedSweep } from '../control/sweep-unreleased.ts'
import { OWNER } from '../owner.ts'
import { openTestApp, type RunnerJob, type TestApp } from '../testing/test-app.ts'
import { type Announced, announcedPayload, openAnnounced } from '../testing/webhooks.ts'
import { cancel } from './cancel.ts'
import { newGenerationId } from './id.ts'
import { isTerminal, settle } from './settle.ts'
import { until } from '@nextscale/platform/testing'

const GENERATIONS = 150
/** Of the generator below: the same interleavings are tried again, as far as processes keep to it. */
const SEED = 20_261_125

let context: TestApp
let announced: Announced
before(async () => {
  context = await openTestApp()
  announced = await openAnnounced(context)
})
after(async () => {
  await announced.close()
  await context.close()
})

/** Mulberry32. */
const createChance = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
const chance = createChance(SEED)

/** A runner that does what runners do: marked ones end as canceled, others in any way, now or in a later attempt. */
const runOne = async (job: RunnerJob) => {
  const isMarked = async () => (await context.redis.exists(context.keys.cancelMark(job.id ?? ''))) === 1
  if (await isMarked()) return { outcome: 'canceled' }
  await sleep(chance() * 8)
  if (await isMarked()) return { outcome: 'canceled' }
  const drawn = chance()
  if (drawn < 0.2) throw new UnrecoverableError('for good')
  if (drawn < 0.4) throw new Error('once more')
  return { outcome: 'expired' }
}

/** What happens to a generation from outside: nothing, cancels, a deadline that passes, the same post again. */
const meddle = async (id: string) => {
  const { services } = announced
  for (let act = 0; act < 4; act++) {
    await sleep(chance() * 60)
    const drawn = chance()
    if (drawn < 0.25) await Promise.all([cancel(services, OWNER, id), cancel(services, OWNER, id)])
    else if (drawn < 0.35) await context.redis.hset(context.queue.toKey(id), 'timestamp', String(Date.now() - 700_000))
    else if (drawn < 0.5)
      await services.enqueue.addKeyed({ id, pool: 'default', payload: announcedPayload(), createdAt: Date.now() })
    else if (drawn < 0.7) await createUnreleasedSweep({ ...services, signal: new AbortController().signal })()
    else await services.reader.read(OWNER, id)
  }
}

test('whatever happens to generations at once, each that has ended has one delivery, released once', async () => {
  const { services } = announced
  const runners = await Promise.all(Array.from({ length: 4 }, () => context.runner(runOne)))
  const ids = Array.from({ length: GENERATIONS }, newGenerationId)
  const live = async (id: string) => {
    await sleep(chance() * 400)
    await services.enqueue.addKeyed({ id, pool: 'default', payload: announcedPayload(), createdAt: Date.now() })
    await meddle(id)
  }
  await Promise.all(ids.map(live))
  const isEnded = async (id: string) => {
    const snapshot = await services.reader.read(OWNER, id)
    return (snapshot.kind === 'job' || snapshot.kind === 'removed') && isTerminal(settle(snapshot))
  }
  for (const id of ids) await until(`the end of ${id}`, () => isEnded(id), { deadlineMs: 60_000 })
  // What was marked and waits for another attempt has ended, and is released by whoever takes it up or the sweep.
  await createUnreleasedSweep({ ...services, signal: new AbortController().signal })()
  await Promise.all(runners.map((runner) => runner.close()))
  await createUnreleasedSweep({ ...services, signal: new AbortController().signal })()
  const waiting = await context.redis.lrange(services.deliveryQueue.toKey('wait'), 0, -1)
  assert.deepEqual(waiting.toSorted(), ids.map(terminalDeliveryId).toSorted())
  assert.equal(await services.deliveryQueue.getWaitingChildrenCount(), 0)
  for (const id of waiting) assert.equal(await context.redis.scard(`${services.deliveryQueue.toKey(id)}:dependencies`), 0)
  assert.equal(await context.redis.zcard(context.keys.unreleased), 0)
})
