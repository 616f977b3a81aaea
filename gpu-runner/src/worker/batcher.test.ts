import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import { openModel } from '../model/open-model.ts'
import { Sampler } from '../sampler/sampler.ts'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { createBatcher, type ImageTicket } from './batcher.ts'
import { CancelRequested } from './cancel-requested.ts'

const MODEL = 'emoji-32'
let sampler: Sampler
before(async () => {
  sampler = await Sampler.start([await openModel(SHIPPED_MODEL)], 2, pino({ level: 'silent' }))
})
after(() => sampler.close())

const ticket = (seed: number, changes: Partial<ImageTicket> = {}): ImageTicket => ({
  model: MODEL,
  request: { seed, label: seed % 60, cfg: 3, topK: 200, topP: 0.95 },
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
  assert.equal(heardAfter, 5)
})

test('a sampler process that dies fails its batch as retryable, and the next batch finds a new one', async () => {
  const own = await Sampler.start([await openModel(SHIPPED_MODEL)], 2, pino({ level: 'silent' }))
  const batcher = createBatcher(own, 4)
  const onScale = () => {
    if (own.pid) process.kill(own.pid, 'SIGKILL')
  }
  await assert.rejects(batcher.submit(ticket(1, { onScale })), { code: 'sampler_crashed' })
  const image = await batcher.submit(ticket(1))
  assert.equal(image.pixels.length, 32 * 32 * 3)
  await own.close()
})
