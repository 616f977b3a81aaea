import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import {
  type GenerateImagePayload,
  type GenerateImageProgress,
  type GenerateImageResult,
  type QueuedInput,
  packedSizeBytes,
  unpackTokens
} from '@nextscale/openapi'
import { pino } from 'pino'
import sharp from 'sharp'
import { keyOf } from '../model/model-ref.ts'
import type { ServedModel } from '../families/family.ts'
import { openServedModel } from '../families/open-served-model.ts'
import type { JobError } from '../errors.ts'
import { openDiskStore, StoreUnavailable } from '@nextscale/platform/object-store'
import { Sampler } from '../sampler/sampler.ts'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { SILENT } from './announce-events.ts'
import { type Batcher, createBatcher } from './batcher.ts'
import { HANDLERS } from './kinds/table.ts'
import { type GenerationJob, type JobContext, processJob } from './process-job.ts'
import type { TakenUp } from './take-up.ts'

const ID = `gen_${'a'.repeat(26)}`
const log = pino({ level: 'silent' })
/** Of the shipped model. */
const [TOKENS, VOCABULARY] = [155, 1_024]

let model: ServedModel
let sampler: Sampler
before(async () => {
  model = await openServedModel(SHIPPED_MODEL)
  sampler = await Sampler.start([model], {
    form: { form: 'step', threads: 2, precision: null, cache: null },
    timeoutMs: 60_000,
    log
  })
})
after(() => sampler.close())

const TAKEN: TakenUp = { ended: null, now: 0, faults: 0, timesAside: 0 }
const nobodyCancels = { isCanceled: async () => false, watch: () => () => undefined, check: () => undefined }

const context = async (t: TestContext, store?: JobContext['store']): Promise<JobContext & { folder: string }> => {
  const folder = await temporaryFolder(t)
  return {
    folder,
    models: new Map([[keyOf(model), model]]),
    handlers: HANDLERS,
    batcher: createBatcher(sampler, { maxBatch: 4, windowMs: 0 }),
    store:
      store ?? (await openDiskStore({ kind: 'disk', directory: folder, linkSecret: undefined, linkTtlSeconds: 60 }, 'writing')),
    cancels: nobodyCancels,
    form: 'step',
    takeUp: async () => TAKEN,
    liveEvents: { of: () => SILENT, settled: () => Promise.resolve() },
    log
  }
}

const payload = (changes: Partial<QueuedInput> = {}): GenerateImagePayload => ({
  version: 1,
  owner: 'local',
  metadata: {},
  label: null,
  input: {
    model: model.id,
    model_revision: model.revision,
    class_label: 2,
    class_name: 'fox',
    num_images: 1,
    seed: 1,
    cfg: 3,
    top_k: 200,
    top_p: 0.95,
    output: { format: 'png', quality: null, metadata: true },
    priority: 'normal',
    smooth: false,
    schedule: null,
    return_tokens: false,
    ...changes
  }
})

const job = (data: unknown, changes: Partial<GenerationJob> = {}): GenerationJob => ({
  id: ID,
  data,
  createdAt: 0,
  run: 1,
  report: () => Promise.resolve(),
  ...changes
})
const { signal } = new AbortController()

test('more images than fit into a batch are sampled in several, and all are stored', async (t) => {
  const where = await context(t)
  const result = await processJob(job(payload({ num_images: 6 })), where, signal)
  assert.ok(result.outcome === 'succeeded')
  assert.deepEqual([result.outputs.length, result.metrics.batch_size, result.metrics.scale_ms?.length], [6, 4, 7])
  assert.equal((await readdir(join(where.folder, 'generations', ID))).length, 6)
})

test('tokens that are asked for lie packed beside each picture, and change nothing about it', async (t) => {
  const where = await context(t)
  const result = await processJob(job(payload({ num_images: 2, return_tokens: true })), where, signal)
  assert.ok(result.outcome === 'succeeded')
  for (const output of result.outputs) {
    assert.equal(output.tokens_key, `generations/${ID}/${output.index}.tokens`)
    const packed = await readFile(join(where.folder, output.tokens_key ?? ''))
    assert.equal(packed.length, packedSizeBytes(TOKENS, VOCABULARY))
    assert.ok(new Set(unpackTokens(packed, TOKENS, VOCABULARY)).size > 10)
  }
  const without = await processJob(job(payload({ num_images: 2 })), where, signal)
  assert.ok(without.outcome === 'succeeded')
  assert.deepEqual(
    without.outputs,
    result.outputs.map((output) => ({ ...output, tokens_key: null }))
  )
})

test('a job of the release before this one, which knew fewer settings, is run', async (t) => {
  const data = payload()
  const { smooth: _smooth, schedule: _schedule, return_tokens: _tokens, ...input } = data.input
  const result = await processJob(job({ ...data, input }), await context(t), signal)
  const now = await processJob(job(data), await context(t), signal)
  assert.ok(result.outcome === 'succeeded' && now.outcome === 'succeeded')
  assert.deepEqual(result.outputs, now.outputs)
})

const refused: Record<string, [unknown, JobError['code']]> = {
  'a payload of another version': [{ version: 2 }, 'invalid_job'],
  'no payload at all': [null, 'invalid_job']
}
for (const [kind, [data, code]] of Object.entries(refused)) {
  test(`${kind} is refused`, async (t) => {
    await assert.rejects(processJob(job(data), await context(t), signal), { code })
  })
}

test('a job for a model or revision that this runner has not is left to another, one for a class or vocabulary refused', async (t) => {
  const where = await context(t)
  const { revision } = model
  const attempt = (changes: Partial<QueuedInput>) => processJob(job(payload(changes)), where, signal)
  await assert.rejects(attempt({ model: 'other' }), { name: 'NotServed', model: { id: 'other', revision } })
  await assert.rejects(attempt({ model_revision: 'other' }), { name: 'NotServed', message: /revision other .*serves revision / })
  await assert.rejects(attempt({ class_label: 60 }), { code: 'invalid_job' })
  await assert.rejects(attempt({ top_k: 1025 }), { code: 'invalid_job' })
  await assert.rejects(attempt({ schedule: { cfg: [1, 2] } }), { code: 'invalid_job', message: /scales/ })
  await assert.rejects(attempt({ schedule: { top_k: [1, 1, 1, 1, 1, 1, 1025] } }), { code: 'invalid_job' })
  await assert.rejects(attempt({ schedule: { class_label: [0, 0, 0, 0, 0, 0, 60] } }), { code: 'invalid_job' })
})

test('when one picture cannot be stored, the attempt ends only after the others have arrived', async (t) => {
  let stored = 0
  const flaky: JobContext['store'] = {
    open: () => assert.fail('nothing is read'),
    put: async (key) => {
      if (key.endsWith('/0.png')) throw new StoreUnavailable('away', undefined)
      await new Promise((resolve) => setTimeout(resolve, 100))
      stored++
    }
  }
  await assert.rejects(processJob(job(payload({ num_images: 3 })), await context(t, flaky), signal), { name: 'StoreUnavailable' })
  assert.equal(stored, 2)
})

test('when an attempt is aborted, its images leave the batcher', async (t) => {
  const where = await context(t)
  const controller = new AbortController()
  const attempt = processJob(job(payload({ num_images: 16 })), where, controller.signal)
  setTimeout(() => controller.abort('shutdown'), 100)
  await assert.rejects(attempt, (reason) => reason === 'shutdown')
  assert.equal(where.batcher.waiting(), 0)
})

test('of a draft only the scales it drew count: tokens, progress and metrics', async (t) => {
  const where = await context(t)
  const reports: GenerateImageProgress[] = []
  const report = async (progress: GenerateImageProgress) => void reports.push(progress)
  const data = payload({ num_images: 2, stop_at_scale: 2, return_tokens: true })
  // A whole generation in the same batch, whose scales go on.
  const [result] = await Promise.all([
    processJob(job(data, { report }), where, signal),
    processJob(job(payload({ seed: 9 }), { id: `gen_${'b'.repeat(26)}` }), where, signal)
  ])
  assert.ok(result.outcome === 'succeeded')
  const drawn = 1 + 4 + 9
  assert.equal(result.metrics.scale_ms?.length, 3)
  assert.deepEqual(reports.at(-1)?.progress, { scale: 3, scales: 3, tokens: 2 * drawn, tokens_total: 2 * drawn })
  const packed = await readFile(join(where.folder, result.outputs[0]?.tokens_key ?? ''))
  assert.equal(packed.length, packedSizeBytes(drawn, VOCABULARY))
})

test('a draft that this runner cannot stop is left to another; scales the model has not are refused', async (t) => {
  const fused: JobContext = { ...(await context(t)), form: 'fused' }
  const attempt = (changes: Partial<QueuedInput>) => processJob(job(payload(changes)), fused, signal)
  await assert.rejects(attempt({ stop_at_scale: 2 }), { name: 'NotServed' })
  await assert.rejects(attempt({ stop_at_scale: 7 }), { code: 'invalid_job' })
  await assert.rejects(attempt({ keep: { seed: 1, scales: 7 } }), { code: 'invalid_job' })
})

const SECOND = 1000
const lapses: [string, Partial<QueuedInput>, Partial<GenerationJob>, number, GenerateImageResult['outcome'], string?][] = [
  ['its start deadline passed', { start_deadline_seconds: 5 }, {}, 5 * SECOND, 'expired'],
  ['its deadline passed', { deadline_seconds: 9 }, {}, 9 * SECOND, 'canceled', 'deadline'],
  [
    'its deadline passed between attempts',
    { deadline_seconds: 9, start_deadline_seconds: 5 },
    { run: 2 },
    9 * SECOND,
    'canceled',
    'deadline'
  ]
]
for (const [what, settings, state, now, outcome, reason] of lapses) {
  test(`one taken up after ${what} is ${outcome} and draws nothing`, async (t) => {
    const where = { ...(await context(t)), takeUp: async () => ({ ...TAKEN, now }) }
    const result = await processJob(job(payload(settings), state), where, signal)
    assert.deepEqual(result, reason === undefined ? { outcome } : { outcome, reason })
    assert.deepEqual(await readdir(where.folder), ['.unfinished'])
  })
}

test('one taken up in time, or begun before its start deadline, is made', async (t) => {
  const where = { ...(await context(t)), takeUp: async () => ({ ...TAKEN, now: 4999 }) }
  assert.equal((await processJob(job(payload({ start_deadline_seconds: 5 })), where, signal)).outcome, 'succeeded')
  const data = payload({ start_deadline_seconds: 2 })
  assert.equal((await processJob(job(data, { run: 2 }), where, signal)).outcome, 'succeeded')
})

test('one that was put aside has not begun, so its start deadline holds', async (t) => {
  const where = { ...(await context(t)), takeUp: async () => ({ ...TAKEN, now: 2000, timesAside: 3 }) }
  const data = payload({ start_deadline_seconds: 2 })
  assert.deepEqual(await processJob(job(data, { run: 4 }), where, signal), { outcome: 'expired' })
  assert.equal((await processJob(job(data, { run: 5 }), where, signal)).outcome, 'succeeded')
})

test('one that has killed a sampler is sampled alone, its pictures one by one', async (t) => {
  const where = await context(t)
  const result = await processJob(
    job(payload({ num_images: 3 })),
    { ...where, takeUp: async () => ({ ...TAKEN, faults: 1 }) },
    signal
  )
  assert.ok(result.outcome === 'succeeded')
  assert.equal(result.metrics.batch_size, 1)
})

test('a generation is made as its family says: what it asks its sampler for, in pictures that need not be square', async (t) => {
  const where = await context(t)
  const asked: object[] = []
  const reports: GenerateImageProgress[] = []
  const other: ServedModel = {
    ...model,
    plan: ({ seed }) => ({
      width: 24,
      height: 16,
      scaleTokens: [2, 6],
      requestOf: (index) => ({ prompt: 'a fox', seed: seed + index }),
      settingsOf: (index) => ({ prompt: 'a fox', seed: seed + index }),
      packTokens: (tokens) => Uint8Array.from(tokens)
    })
  }
  const batcher: Batcher = {
    waiting: () => 0,
    submit: async ({ request, onStart, onScale }) => {
      asked.push(request)
      onStart()
      for (const scale of [0, 1]) onScale(scale)
      const picture = { width: 24, height: 16, pixels: new Uint8Array(24 * 16 * 3) }
      return { ...picture, tokens: Int32Array.of(1, 2, 3), scaleMs: [1, 2], decodeMs: 1, batchSize: 1 }
    }
  }
  const report = async (progress: GenerateImageProgress) => void reports.push(progress)
  const data = payload({ num_images: 2, seed: 5, return_tokens: true })
  const result = await processJob(job(data, { report }), { ...where, batcher, models: new Map([[keyOf(model), other]]) }, signal)
  assert.ok(result.outcome === 'succeeded')
  assert.deepEqual(asked, [
    { prompt: 'a fox', seed: 5 },
    { prompt: 'a fox', seed: 6 }
  ])
  assert.deepEqual(reports.at(-1)?.progress, { scale: 2, scales: 2, tokens: 16, tokens_total: 16 })
  for (const { key, width, height, tokens_key: tokensKey } of result.outputs) {
    assert.deepEqual([width, height], [24, 16])
    const { width: stored, height: high, exif } = await sharp(join(where.folder, key)).metadata()
    assert.deepEqual([stored, high], [24, 16])
    assert.match(exif?.toString('latin1') ?? '', /\{"prompt":"a fox","seed":[56]\}/)
    assert.deepEqual([...(await readFile(join(where.folder, tokensKey ?? '')))], [1, 2, 3])
  }
})

test('a picture of another size than the model’s is never stored', async (t) => {
  const where = await context(t)
  const batcher: Batcher = {
    ...where.batcher,
    submit: async (ticket) => ({ ...(await where.batcher.submit(ticket)), width: 16, height: 16 })
  }
  await assert.rejects(processJob(job(payload()), { ...where, batcher }, signal), { code: 'internal_error' })
  assert.deepEqual(await readdir(where.folder), ['.unfinished'])
})

test('what ended while it waited ends here as it was said to have', async (t) => {
  const where = await context(t)
  const after = (ended: TakenUp['ended']) =>
    processJob(job(payload()), { ...where, takeUp: async () => ({ ...TAKEN, ended }) }, signal)
  assert.deepEqual(await after('expired'), { outcome: 'expired' })
  assert.deepEqual(await after('deadline'), { outcome: 'canceled', reason: 'deadline' })
  assert.deepEqual(await after('canceled'), { outcome: 'canceled' })
})

test('one that runs past its deadline is stopped', async (t) => {
  const where = { ...(await context(t)), takeUp: async () => ({ ...TAKEN, now: 950 }) }
  const data = payload({ num_images: 16, deadline_seconds: 1 })
  assert.deepEqual(await processJob(job(data), where, signal), { outcome: 'canceled', reason: 'deadline' })
  assert.equal(where.batcher.waiting(), 0)
})

test('the attempt ends only after its previews have arrived, whether it succeeds or fails', async (t) => {
  const where = await context(t)
  let arrived = 0
  const slow = (failing: boolean): JobContext['store'] => ({
    open: () => assert.fail('nothing is read'),
    put: async (key) => {
      if (failing && key.endsWith('.png')) throw new StoreUnavailable('away', undefined)
      if (!key.endsWith('.webp')) return
      await new Promise((resolve) => setTimeout(resolve, 200))
      arrived++
    }
  })
  const data = payload({ previews: [1, 5] })
  const result = await processJob(job(data), { ...where, store: slow(false) }, signal)
  assert.ok(result.outcome === 'succeeded')
  assert.equal(arrived, 2)
  assert.ok((result.metrics.preview_ms ?? 0) > 0)
  await assert.rejects(processJob(job(data), { ...where, store: slow(true) }, signal), { name: 'StoreUnavailable' })
  assert.equal(arrived, 4)
})
