import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { until } from '@nextscale/platform/testing'
import { pino } from 'pino'
import type { ServedModel } from '../families/family.ts'
import { openServedModel } from '../families/open-served-model.ts'
import { Sampler, type SamplerOptions } from '../sampler/sampler.ts'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { tinyModels } from '../testing/tiny-models.ts'
import { CancelRequested } from './abort-reasons.ts'
import type { Clock } from './batch-window.ts'
import { createBatcher, type ImageTicket } from './batcher.ts'

const OPTIONS: SamplerOptions = {
  form: { form: 'step', threads: 2, precision: null, cache: null },
  timeoutMs: 60_000,
  log: pino({ level: 'silent' })
}
let shipped: ServedModel
let sampler: Sampler
before(async () => {
  shipped = await openServedModel(SHIPPED_MODEL)
  sampler = await Sampler.start([shipped], OPTIONS)
})
after(() => sampler.close())

const ticket = (seed: number, changes: Partial<ImageTicket> = {}): ImageTicket => ({
  model: shipped,
  request: { seed, label: seed % 60, cfg: 3, topK: 200, topP: 0.95, smooth: false, schedule: null },
  signal: new AbortController().signal,
  onStart: () => undefined,
  onScale: () => undefined,
  ...changes
})

test('what arrives together shares a batch, up to the limit; what is over waits for the next', async () => {
  const batcher = createBatcher(sampler, { maxBatch: 4, windowMs: 0 })
  const images = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => batcher.submit(ticket(seed))))
  assert.deepEqual(
    images.map(({ batchSize }) => batchSize),
    [4, 4, 4, 4, 2, 2]
  )
  assert.equal(batcher.waiting(), 0)
})

test('what arrives while the sampler works gathers for the next batch', async () => {
  const batcher = createBatcher(sampler, { maxBatch: 8, windowMs: 0 })
  const late: ReturnType<typeof batcher.submit>[] = []
  const onScale = (scale: number) => {
    if (scale < 3) late.push(batcher.submit(ticket(20 + scale)))
  }
  const first = await batcher.submit(ticket(10, { onScale }))
  const others = await Promise.all(late)
  assert.equal(first.batchSize, 1)
  assert.deepEqual(
    others.map(({ batchSize }) => batchSize),
    [3, 3, 3]
  )
})

test('an image whose signal aborts while it waits never starts', async () => {
  const batcher = createBatcher(sampler, { maxBatch: 1, windowMs: 0 })
  const running = batcher.submit(ticket(1))
  const controller = new AbortController()
  let started = false
  const waiting = batcher.submit(ticket(2, { signal: controller.signal, onStart: () => (started = true) }))
  const refused = assert.rejects(waiting, { name: 'CancelRequested' })
  controller.abort(new CancelRequested())
  await refused
  await running
  assert.equal(started, false)
})

test('an image whose signal aborts while it is sampled leaves at once, and its mates get their pictures', async () => {
  const batcher = createBatcher(sampler, { maxBatch: 2, windowMs: 0 })
  const controller = new AbortController()
  let heardAfter = 0
  const onScale = (scale: number) => {
    if (scale === 1) controller.abort(new CancelRequested())
    if (scale > 1) heardAfter++
  }
  const leaving = batcher.submit(ticket(1, { signal: controller.signal, onScale }))
  const staying = batcher.submit(ticket(2))
  await assert.rejects(leaving, { name: 'CancelRequested' })
  const alone = await batcher.submit(ticket(2))
  assert.deepEqual((await staying).pixels, alone.pixels)
  assert.equal(heardAfter, 0)
})

test('one image that cannot be sampled does not fail those it shared a batch with', async () => {
  const batcher = createBatcher(sampler, { maxBatch: 8, windowMs: 0 })
  const bad = ticket(3)
  bad.request = { ...bad.request, label: 999 }
  const submitted = [ticket(1), ticket(2), bad, ticket(4), ticket(5)].map((each) => batcher.submit(each))
  const [first, second, third, ...rest] = await Promise.allSettled(submitted)
  assert.equal(third?.status, 'rejected')
  for (const { status } of [first, second, ...rest].filter((each) => each !== undefined)) assert.equal(status, 'fulfilled')
})

test('images with other labels, seeds, settings and schedules share a batch, and each is what it is alone', async () => {
  const batcher = createBatcher(sampler, { maxBatch: 8, windowMs: 0 })
  const scales = 7
  const { request } = ticket(1)
  const requests: ImageTicket['request'][] = [
    request,
    { ...request, seed: 2, label: null },
    { ...request, label: 9, cfg: 0 },
    { ...request, topK: 1 },
    { ...request, topP: 0.5 },
    { ...request, smooth: true },
    { ...request, schedule: { cfg: new Array<number>(scales).fill(2), topK: [1, 1, 1, 9, 99, 999, 0] } },
    { ...request, schedule: { topP: new Array<number>(scales).fill(0.7), label: [4, 4, 4, null, 5, 5, 5] } }
  ]
  const together = await Promise.all(requests.map((each) => batcher.submit(ticket(1, { request: each }))))
  for (const [index, image] of together.entries()) {
    assert.equal(image.batchSize, requests.length)
    const alone = await batcher.submit(ticket(1, { request: requests[index] ?? request }))
    assert.deepEqual([image.tokens, image.pixels], [alone.tokens, alone.pixels])
  }
})

test('images of two models of one size never share a batch, nor those of two revisions of one model', async (t) => {
  const [one, other, revised] = await tinyModels(t)
  const both = await Sampler.start([one, other, revised], OPTIONS)
  t.after(() => both.close())
  const request = { seed: 1, label: 2, cfg: 3, topK: 0, topP: 1, smooth: false, schedule: null }
  const wanted = [one, other, revised, other, one, revised, one].map((model, place) =>
    ticket(1, { model, request: { ...request, seed: place } })
  )
  const batcher = createBatcher(both, { maxBatch: 8, windowMs: 0 })
  const together = await Promise.all(wanted.map((each) => batcher.submit(each)))
  assert.deepEqual(
    together.map(({ batchSize }) => batchSize),
    [3, 2, 2, 2, 3, 2, 3]
  )
  for (const [place, each] of wanted.entries()) {
    const alone = await batcher.submit(each)
    assert.deepEqual([together[place]?.tokens, together[place]?.pixels], [alone.tokens, alone.pixels])
  }
  // The three do draw different pictures of one seed.
  const same = await Promise.all([one, other, revised].map((model) => batcher.submit(ticket(1, { model, request }))))
  assert.equal(new Set(same.map(({ pixels }) => Buffer.from(pixels).toString('base64'))).size, 3)
})

test('images of a model in memory go before older ones of another, until it has worked for as long as the last load took', async (t) => {
  const [one, other] = await tinyModels(t)
  let nowMs = 0
  const memoryBytes = one.memoryBytes(OPTIONS.form)
  const tight = await Sampler.start([one, other], { ...OPTIONS, memoryBytes, now: () => nowMs })
  t.after(() => tight.close())
  const batcher = createBatcher(tight, { maxBatch: 2, windowMs: 0, isReady: (model) => tight.isReady(model) })
  const request = { seed: 1, label: 2, cfg: 3, topK: 0, topP: 1, smooth: false, schedule: null }
  const made: string[] = []
  const submit = (name: string, model: ServedModel, changes: Partial<ImageTicket> = {}) =>
    batcher.submit(ticket(1, { model, request, onStart: () => made.push(name), ...changes }))
  // A load that takes half a second.
  await submit('first', other, { onLoading: () => setImmediate(() => (nowMs += 500)) })
  const loads: string[] = []
  const older = submit('older', one, { onLoading: () => loads.push('one') })
  const younger: Promise<unknown>[] = []
  // Of these there is always one more: they never leave the queue empty.
  const ask = (times: number) => {
    const onScale = (scale: number) => {
      if (scale > 0 || times === 0) return
      nowMs += 200
      ask(times - 1)
    }
    younger.push(submit(`younger ${times}`, other, { onScale }))
  }
  ask(5)
  await older
  const before = made.slice(0, made.indexOf('older'))
  assert.deepEqual(before, ['first', 'younger 5', 'younger 4', 'younger 3'])
  await until('all are made', () => younger.length === 6)
  await Promise.all(younger)
  assert.deepEqual(loads, ['one'])
  assert.equal(batcher.waiting(), 0)
})

test('where nothing else is to be done, a model is loaded at once; a load that fails fails each image once, and others are made', async (t) => {
  const [one, other] = await tinyModels(t)
  const tight = await Sampler.start([one, other], { ...OPTIONS, memoryBytes: one.memoryBytes(OPTIONS.form), now: () => 0 })
  t.after(() => tight.close())
  const batcher = createBatcher(tight, { maxBatch: 8, windowMs: 0, isReady: (model) => tight.isReady(model) })
  const request = { seed: 1, label: 2, cfg: 3, topK: 0, topP: 1, smooth: false, schedule: null }
  await batcher.submit(ticket(1, { model: other, request }))
  for (const file of one.files) await rename(file, `${file}.away`)
  let loads = 0
  const failing = Array.from({ length: 5 }, () =>
    batcher.submit(ticket(1, { model: one, request, onLoading: () => loads++, onStart: () => assert.fail('it has no model') }))
  )
  const fine = batcher.submit(ticket(1, { model: other, request }))
  for (const each of await Promise.allSettled(failing)) {
    assert.ok(each.status === 'rejected')
    assert.equal((each.reason as { code: string }).code, 'model_load_failed')
  }
  assert.equal(loads, 5)
  assert.equal((await fine).batchSize, 1)
})

test('an image whose signal aborts while its model is loaded leaves at once, and is not made', async (t) => {
  const [one, other] = await tinyModels(t)
  const tight = await Sampler.start([one, other], { ...OPTIONS, memoryBytes: one.memoryBytes(OPTIONS.form) })
  t.after(() => tight.close())
  const batcher = createBatcher(tight, { maxBatch: 8, windowMs: 0 })
  const request = { seed: 1, label: 2, cfg: 3, topK: 0, topP: 1, smooth: false, schedule: null }
  const controller = new AbortController()
  const leaving = batcher.submit(
    ticket(1, {
      model: other,
      request,
      signal: controller.signal,
      onLoading: () => controller.abort(new CancelRequested()),
      onStart: () => assert.fail('it was canceled')
    })
  )
  await assert.rejects(leaving, { name: 'CancelRequested' })
  assert.equal((await batcher.submit(ticket(1, { model: one, request }))).batchSize, 1)
})

test('an image that is to be alone shares no batch, and holds up none of the others', async () => {
  const batcher = createBatcher(sampler, { maxBatch: 8, windowMs: 0 })
  const images = await Promise.all([1, 2, 3, 4].map((seed) => batcher.submit(ticket(seed, { isAlone: seed === 2 }))))
  assert.deepEqual(
    images.map(({ batchSize }) => batchSize),
    [3, 1, 3, 3]
  )
})

/** A clock that stands still until it is told to go on; waits end when their time has come or their signal aborts. */
const createClock = () => {
  let nowMs = 0
  const waits = new Set<{ endsAt: number; end: () => void }>()
  const waitedMs: number[] = []
  const advance = (ms: number) => {
    nowMs += ms
    for (const { endsAt, end } of waits) if (endsAt <= nowMs) end()
  }
  const clock: Clock = {
    now: () => nowMs,
    wait: (ms, signal) =>
      new Promise((resolve) => {
        waitedMs.push(ms)
        const wait = { endsAt: nowMs + ms, end: () => (waits.delete(wait), resolve()) }
        waits.add(wait)
        signal.addEventListener('abort', wait.end, { once: true })
      })
  }
  return { clock, advance, waitedMs }
}

/** After this, whatever the batcher does at once has been done. */
const settled = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const gathering = (windowMs: number) => {
  const { clock, advance, waitedMs } = createClock()
  return { batcher: createBatcher(sampler, { maxBatch: 3, windowMs, clock }), advance, waitedMs }
}

test('an idle sampler starts at once; right after a batch the next one gathers for the window', async () => {
  const { batcher, advance, waitedMs } = gathering(10)
  await batcher.submit(ticket(1))
  assert.deepEqual(waitedMs, [])
  advance(4)
  const second = batcher.submit(ticket(2))
  await settled()
  assert.deepEqual([waitedMs, batcher.waiting()], [[6], 1])
  advance(3)
  const third = batcher.submit(ticket(3))
  await settled()
  assert.equal(batcher.waiting(), 2)
  advance(3)
  assert.deepEqual([(await second).batchSize, (await third).batchSize], [2, 2])
})

test('a batch that is full stops gathering', async () => {
  const { batcher, waitedMs } = gathering(10)
  await batcher.submit(ticket(1))
  const first = batcher.submit(ticket(2))
  await settled()
  await Promise.all([3, 4].map((seed) => batcher.submit(ticket(seed))))
  assert.equal((await first).batchSize, 3)
  assert.deepEqual(waitedMs, [10])
})

test('what waits for a full batch already does not gather at all', async () => {
  const { batcher, waitedMs } = gathering(10)
  await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => batcher.submit(ticket(seed))))
  assert.deepEqual(waitedMs, [])
})

test('a sampler that has been idle for longer than the window, and one without a window, do not wait', async () => {
  const { batcher, advance, waitedMs } = gathering(10)
  await batcher.submit(ticket(1))
  advance(10)
  await batcher.submit(ticket(2))
  const without = gathering(0)
  await without.batcher.submit(ticket(1))
  await without.batcher.submit(ticket(2))
  assert.deepEqual([waitedMs, without.waitedMs], [[], []])
})

test('when all that gathered has left, the next image finds an idle sampler', async () => {
  const { batcher, advance } = gathering(10)
  await batcher.submit(ticket(1))
  const controller = new AbortController()
  const leaving = batcher.submit(ticket(2, { signal: controller.signal }))
  await settled()
  controller.abort(new CancelRequested())
  await assert.rejects(leaving, { name: 'CancelRequested' })
  advance(10)
  assert.equal((await batcher.submit(ticket(3))).batchSize, 1)
})

test('the window of the system’s clock passes', async () => {
  const batcher = createBatcher(sampler, { maxBatch: 3, windowMs: 50 })
  await batcher.submit(ticket(1))
  const begun = performance.now()
  const [one, other] = await Promise.all([2, 3].map((seed) => batcher.submit(ticket(seed))))
  assert.deepEqual([one?.batchSize, other?.batchSize], [2, 2])
  assert.ok(performance.now() - begun > 40)
})
