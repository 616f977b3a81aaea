import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import { openModel } from '../model/open-model.ts'
import { Sampler } from '../sampler/sampler.ts'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { createBatcher, type ImageTicket } from './batcher.ts'
import { CancelRequested } from './abort-reasons.ts'

const MODEL = 'emoji-32'
const OPTIONS = { threads: 2, timeoutMs: 60_000, log: pino({ level: 'silent' }) }
let sampler: Sampler
before(async () => {
  sampler = await Sampler.start([await openModel(SHIPPED_MODEL)], OPTIONS)
})
after(() => sampler.close())

const ticket = (seed: number, changes: Partial<ImageTicket> = {}): ImageTicket => ({
  model: MODEL,
  request: { seed, label: seed % 60, cfg: 3, topK: 200, topP: 0.95, smooth: false, schedule: null },
  signal: new AbortController().signal,
  onStart: () => undefined,
  onScale: () => undefined,
  ...changes
})

test('what arrives together shares a batch, up to the limit; what is over waits for the next', async () => {
  const batcher = createBatcher(sampler, 4)
  const images = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => batcher.submit(ticket(seed))))
  assert.deepEqual(
    images.map(({ batchSize }) => batchSize),
    [4, 4, 4, 4, 2, 2]
  )
  assert.equal(batcher.waiting(), 0)
})

test('what arrives while the sampler works gathers for the next batch', async () => {
  const batcher = createBatcher(sampler, 8)
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
  const batcher = createBatcher(sampler, 1)
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
  const batcher = createBatcher(sampler, 2)
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
  const batcher = createBatcher(sampler, 8)
  const bad = ticket(3)
  bad.request = { ...bad.request, label: 999 }
  const submitted = [ticket(1), ticket(2), bad, ticket(4), ticket(5)].map((each) => batcher.submit(each))
  const [first, second, third, ...rest] = await Promise.allSettled(submitted)
  assert.equal(third?.status, 'rejected')
  for (const { status } of [first, second, ...rest].filter((each) => each !== undefined)) assert.equal(status, 'fulfilled')
})
