import { test } from 'node:test'
import { type Generation, getGeneration } from '@nextscale/openapi'
import { until } from '@nextscale/platform/testing'
import { assertKept } from '../../testing/contract.ts'
import { modelCard } from '../../testing/model-card.ts'
import { bodyOf, openTestApp } from '../../testing/test-app.ts'

test('what waits says so while no runner that serves it is up, and no longer once one is', async (t) => {
  const context = await openTestApp()
  t.after(() => context.close())
  const { id, revision } = modelCard()
  const served = { id, revision, image_ms: null, latency_ms: null }
  const generation = await context.generate()
  const look = async () => {
    const response = await context.app.inject(`/generations/${generation.id}`)
    assertKept(getGeneration, response)
    const { stage, queue } = bodyOf<Generation>(response)
    return `${stage}: ${queue?.message}`
  }
  const becomes = (seen: string) => until(seen, async () => (await look()) === seen)
  const none = `It waits for a runner that serves revision ${revision} of ${id}: none is up.`
  await becomes(`queued: ${none}`)

  await context.announceRunner('other', [{ ...served, revision: 'another' }])
  await becomes(`queued: ${none}`)
  const job = await context.queue.getJob(generation.id)
  await job?.updateProgress({ stage: 'waiting_for_model', progress: null, message: 'It was put aside.' })
  await becomes('waiting_for_model: It was put aside.')

  // Of another pool, which it is moved to.
  await context.announceRunner('other', [served])
  await becomes('queued: null')
})
