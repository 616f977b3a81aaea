import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { newGenerationId } from '../generations/id.ts'
import { openTestApp, type TestApp } from '../testing/test-app.ts'
import { type Announced, announcedPayload, openAnnounced } from '../testing/webhooks.ts'

let context: TestApp
let announced: Announced
before(async () => {
  context = await openTestApp()
})
after(() => context.close())
// A connection that has sent no script yet.
beforeEach(async () => {
  announced = await openAnnounced(context)
})
afterEach(() => announced.close())

test('scripts whose first transaction was discarded, since Redis was full, are known to the next', async () => {
  await context.redis.script('FLUSH')
  await context.redis.config('SET', 'maxmemory', '1')
  try {
    await assert.rejects(announced.add(), { code: 'queue_full' })
  } finally {
    await context.redis.config('SET', 'maxmemory', '0')
  }
  assert.equal(await announced.stateOf(await announced.add()), 'waiting-children')
})

test('scripts that Redis was told to forget are known again after one 503, which adds no job', async () => {
  const { enqueue, queues } = announced.services
  const queue = queues.of('default')
  const add = () =>
    enqueue.addKeyed({ id: newGenerationId(), pool: 'default', payload: announcedPayload(), createdAt: Date.now() })
  assert.equal((await add()).isNew, true)
  assert.equal(await announced.stateOf(await announced.add()), 'waiting-children')
  const jobs = await queue.getPrioritizedCount()
  await context.redis.script('FLUSH')
  await assert.rejects(add(), { code: 'queue_unavailable' })
  assert.equal(await queue.getPrioritizedCount(), jobs)
  assert.equal((await add()).isNew, true)
  assert.equal(await announced.stateOf(await announced.add()), 'waiting-children')
})
