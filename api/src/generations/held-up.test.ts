import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { type Generation, type GenerateImageProgress, getGeneration, type Stage } from '@nextscale/openapi'
import { until } from '@nextscale/platform/testing'
import { assertKept } from '../testing/contract.ts'
import { bodyOf, openTestApp, type TestApp } from '../testing/test-app.ts'

let context: TestApp
before(async () => {
  context = await openTestApp()
})
after(() => context.close())
beforeEach(() => context.queue.obliterate({ force: true }))

const read = async (id: string): Promise<Generation> => {
  const response = await context.app.inject(`/generations/${id}`)
  assertKept(getGeneration, response)
  return bodyOf<Generation>(response)
}

interface Left {
  code?: string
  stage?: Stage
  message?: string
}

/** A generation as an attempt that failed leaves it: the reason, and the last report. */
const attempted = async ({ code, stage, message }: Left): Promise<string> => {
  const { id } = await context.generate({ deadline_seconds: 5 })
  const job = context.queue.toKey(id)
  if (code !== undefined) await context.redis.hset(job, 'failedReason', JSON.stringify({ code, message: 'x', retryable: true }))
  const progress: GenerateImageProgress | undefined = stage && { stage, progress: null, ...(message && { message }) }
  if (progress) await context.redis.hset(job, 'progress', JSON.stringify(progress))
  return id
}

const pass = (id: string, seconds: number) =>
  context.redis.hset(context.queue.toKey(id), 'timestamp', String(Date.now() - seconds * 1000))

const MORE = /deadline_seconds\. Post the request again, with more of them if need be\.$/
const NOT_LOADED =
  /deadline_seconds: the runner that had it could not load its model\. .* ask for another model, or post the request again later\.$/

const cases: [what: string, left: Left, said: RegExp][] = [
  ['nothing but its turn', {}, MORE],
  ['a model that cannot be loaded', { code: 'model_load_failed', stage: 'waiting_for_model' }, NOT_LOADED],
  ['a model that is loaded once more', { code: 'model_load_failed', stage: 'loading_model' }, NOT_LOADED],
  ['a model that could be loaded after all', { code: 'model_load_failed', stage: 'sampling' }, MORE],
  ['a runner that serves it', { stage: 'waiting_for_model' }, /: no runner that was up served its revision of the model\. Post /],
  ['a store that is away', { code: 'object_store_unavailable', stage: 'queued' }, /: its pictures could not be stored, since /],
  ['another attempt', { code: 'sampler_crashed', stage: 'batching' }, MORE]
]
for (const [what, left, said] of cases) {
  test(`one that waited for ${what} says so after its deadline, whoever ends it`, async () => {
    const waiting = await attempted(left)
    await pass(waiting, 6)
    const lapsed = await read(waiting)
    assert.deepEqual([lapsed.status, lapsed.error?.code], ['canceled', 'deadline_exceeded'])
    assert.match(lapsed.error?.message ?? '', said)
    assert.equal((await read(waiting)).error?.message, lapsed.error?.message)

    const taken = await attempted(left)
    const runner = await context.runner(async () => ({ outcome: 'canceled', reason: 'deadline' }))
    await until('its runner has ended it', async () => (await read(taken)).status === 'canceled')
    assert.equal((await read(taken)).error?.message, lapsed.error?.message)
    await runner.close()
  })
}

for (const stage of ['waiting_for_model', 'queued'] as const) {
  test(`while it waits with the stage ${stage}, its message is what the runner said, and nobody says when`, async () => {
    const message = 'Something is away. It is tried again.'
    const held = await read(await attempted({ stage, message }))
    assert.deepEqual([held.status, held.stage], ['queued', stage])
    assert.deepEqual([held.queue?.message, held.queue?.eta_ms], [message, null])
  })
}
