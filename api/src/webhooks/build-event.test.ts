import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import {
  DeliverWebhookPayload,
  type Generation,
  type GenerateImageProgress,
  pictureKey,
  type WebhookEvent
} from '@nextscale/openapi'
import { UnrecoverableError } from 'bullmq'
import { cancel } from '../generations/cancel.ts'
import { erase } from '../generations/erase.ts'
import { newGenerationId } from '../generations/id.ts'
import { OWNER } from '../owner.ts'
import { parserOf } from '../parser.ts'
import { openTestApp, type RunnerJob, type TestApp } from '../testing/test-app.ts'
import { type Announced, announcedPayload, openAnnounced } from '../testing/webhooks.ts'
import { buildEvent, type BuiltEvent, type EventContext, withoutPictures } from './build-event.ts'

const BASE = 'https://api.example.com'
const RETENTION_SECONDS = 1000
const MADE_AT = Date.parse('2026-01-01T00:00:00.000Z')
const METRICS = { sample_ms: 1, scale_ms: null, decode_ms: null, encode_ms: null, upload_ms: null, batch_size: null }

const storedOutput = (id: string) => ({
  index: 0,
  seed: 7,
  key: pictureKey(id, 0, 'png'),
  content_type: 'image/png',
  width: 32,
  height: 32,
  bytes: 9,
  sha256: 'a'.repeat(64)
})

let context: TestApp
let announced: Announced
/** What the runner does with the next job. */
let run: (job: RunnerJob) => Promise<unknown>
const succeed = (job: RunnerJob) =>
  Promise.resolve({ outcome: 'succeeded', outputs: [storedOutput(job.id ?? '')], metrics: METRICS })
before(async () => {
  context = await openTestApp()
  announced = await openAnnounced(context)
  await context.runner((job) => run(job))
})
after(async () => {
  await announced.close()
  await context.close()
})
beforeEach(() => (run = succeed))

const add = async (): Promise<string> => {
  const id = newGenerationId()
  const limits = { retention_seconds: RETENTION_SECONDS }
  await announced.services.enqueue.add({
    id,
    pool: 'default',
    payload: { ...announcedPayload(limits), label: 'mine' },
    createdAt: Date.now()
  })
  return id
}

const ended = async (): Promise<string> => {
  const id = await add()
  await context.app.inject(`/generations/${id}?wait=10`)
  return id
}

type Changes = Partial<DeliverWebhookPayload>
const build = (generationId: string | null, changes: Changes = {}, options: Partial<EventContext> = {}): Promise<BuiltEvent> => {
  const { reader, store } = announced.services
  const url = 'https://example.com/hook'
  const payload = { version: 1, owner: OWNER, generation_id: generationId, url, base: BASE, event: null, ...changes } as const
  return buildEvent({ reader, store, publicUrl: undefined, ...options }, { payload, createdAt: MADE_AT })
}
const eventOf = (built: BuiltEvent): WebhookEvent => (built.kind === 'send' ? built.event : assert.fail(built.kind))
const generationOf = (built: BuiltEvent): Generation => {
  const { data } = eventOf(built)
  return 'status' in data ? data : assert.fail('no generation')
}
const afterRetention = { now: () => Date.now() + RETENTION_SECONDS * 1000 }

/** Holds a job where it has reported its progress, until released. */
const holdAt = (progress: GenerateImageProgress) => {
  const reached = Promise.withResolvers<undefined>()
  const released = Promise.withResolvers<undefined>()
  run = async (job) => {
    await job.updateProgress(progress)
    reached.resolve(undefined)
    await released.promise
    return succeed(job)
  }
  return { reached: reached.promise, release: () => released.resolve(undefined) }
}
const atScale = (scale: number): GenerateImageProgress => ({
  stage: 'sampling',
  run: 1,
  progress: { scale, scales: 3, tokens: 5, tokens_total: 21 }
})

test('an end is told with its time, with links under the base of the request, and without a token', async () => {
  const id = await ended()
  const built = await build(id)
  const { type, timestamp } = eventOf(built)
  const { status, completed_at: completedAt, outputs, urls } = generationOf(built)
  assert.deepEqual([type, timestamp, status], ['generation.succeeded', completedAt, 'succeeded'])
  assert.ok(outputs[0]?.url.startsWith(`${BASE}/v1/objects/`))
  assert.equal(urls.events, `${BASE}/v1/generations/${id}/events`)
  const { urls: elsewhere } = generationOf(await build(id, {}, { publicUrl: 'https://public.example.com' }))
  assert.equal(elsewhere.self, `https://public.example.com/v1/generations/${id}`)
})

test('an end that was not asked for is skipped, and before there is one nothing is told', async () => {
  const { reached, release } = holdAt(atScale(1))
  const id = await add()
  await reached
  assert.deepEqual(await build(id), { kind: 'early' })
  release()
  await context.app.inject(`/generations/${id}?wait=10`)
  assert.deepEqual(await build(id, { events: ['generation.failed'] }), { kind: 'skip', event: 'generation.succeeded' })
})

test('once retention is over an end is told without pictures, as long as anything of it is left', async () => {
  const id = await ended()
  const { status, outputs, label } = generationOf(await build(id, {}, afterRetention))
  assert.deepEqual([status, outputs, label], ['succeeded', [], 'mine'])
})

test('what was put aside is told after retention, and not before: then it was deleted', async () => {
  const id = await ended()
  const kept = withoutPictures(generationOf(await build(id)))
  await erase(announced.services, OWNER, id)
  assert.equal((await build(id, { kept })).kind, 'gone')
  assert.equal((await build(id, {}, afterRetention)).kind, 'gone', 'nothing was put aside')
  assert.deepEqual(eventOf(await build(id, { kept }, afterRetention)), {
    type: 'generation.succeeded',
    timestamp: kept.completed_at,
    data: kept
  })
})

test('what happens on the way is told while it is so, and skipped once overtaken or ended', async () => {
  const { reached, release } = holdAt(atScale(1))
  const id = await add()
  await reached
  const started = eventOf(await build(id, { event: 'generation.started' }))
  assert.deepEqual([started.type, started.timestamp], ['generation.started', new Date(MADE_AT).toISOString()])
  const progress = (run: number, scale: number) => build(id, { event: 'generation.progress', progress: { run, scale } })
  assert.equal(generationOf(await progress(1, 1)).progress?.scale, 1)
  assert.deepEqual(await progress(1, 0), { kind: 'skip', event: 'generation.progress' })
  release()
  await context.app.inject(`/generations/${id}?wait=10`)
  assert.deepEqual(await progress(1, 1), { kind: 'skip', event: 'generation.progress' })
  assert.deepEqual(await build(id, { event: 'generation.started' }), { kind: 'skip', event: 'generation.started' })
})

test('progress of a run that was lost is skipped', async () => {
  const { reached, release } = holdAt({ ...atScale(0), run: 2 })
  const id = await add()
  await reached
  const lost = await build(id, { event: 'generation.progress', progress: { run: 1, scale: 2 } })
  assert.deepEqual(lost, { kind: 'skip', event: 'generation.progress' })
  release()
})

test('a picture is told with a fresh link, also after success, but not once it is gone or was given up', async () => {
  const id = await ended()
  const about = (generationId: string, options = {}) =>
    build(generationId, { event: 'generation.output', output: storedOutput(generationId) }, options)
  const { type, data } = eventOf(await about(id))
  assert.equal(type, 'generation.output')
  assert.ok('output' in data && data.output.url.startsWith(`${BASE}/v1/objects/${pictureKey(id, 0, 'png')}?`))
  assert.deepEqual([data.generation_id, data.label], [id, 'mine'])
  const skipped = { kind: 'skip', event: 'generation.output' }
  assert.deepEqual(await about(id, afterRetention), skipped)
  run = () => Promise.reject(new UnrecoverableError('no'))
  assert.deepEqual(await about(await ended()), skipped)
})

test('one that was canceled while it waited is told as canceled, though no job is left', async () => {
  const { reached, release } = holdAt(atScale(1))
  const busy = await add()
  await reached
  const id = await add()
  await cancel(announced.services, OWNER, id)
  assert.equal(eventOf(await build(id)).type, 'generation.canceled')
  release()
  await context.app.inject(`/generations/${busy}?wait=10`)
})

test('a test tells of no generation', async () => {
  const { type, data } = eventOf(await build(null, { event: 'webhook.test' }))
  assert.deepEqual([type, Object.keys(data)], ['webhook.test', ['message']])
})

test('what another release put aside is told as that release saw it', () => {
  const kept = { status: 'expired', completed_at: '2026-01-01T00:00:00.000Z', expires_at: '2026-01-02T00:00:00.000Z', new: 1 }
  const payload = {
    version: 1,
    owner: OWNER,
    generation_id: newGenerationId(),
    url: 'https://a.example/',
    base: BASE,
    event: null,
    kept
  }
  assert.deepEqual(parserOf(DeliverWebhookPayload)(payload), payload)
})
