import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import type { ServedModel } from '../families/family.ts'
import { openServedModel } from '../families/open-served-model.ts'
import { SHIPPED_MODEL } from '../testing/folders.ts'
import { Sampler, type SamplerOptions } from './sampler.ts'

const OPTIONS: SamplerOptions = {
  form: { form: 'step', threads: 2, precision: null, cache: null },
  timeoutMs: 60_000,
  log: pino({ level: 'silent' })
}

let model: ServedModel
let sampler: Sampler
before(async () => {
  model = await openServedModel(SHIPPED_MODEL)
  sampler = await Sampler.start([model], OPTIONS)
})
after(() => sampler.close())

const images = (count: number) =>
  Array.from({ length: count }, (_, seed) => ({
    seed,
    label: seed,
    cfg: 3,
    topK: 200,
    topP: 0.95,
    smooth: false,
    schedule: null
  }))
const batch = (count: number, onScale: (scale: number) => void = () => undefined) => ({
  model,
  images: images(count),
  onScale
})

const kill = (pid: number | undefined, signal: NodeJS.Signals) => {
  if (pid !== undefined) process.kill(pid, signal)
}

test('images dropped while they are sampled are left out of the result', async () => {
  const running = sampler.sample(batch(4, (scale) => scale === 1 && running.drop([0, 2])))
  const { images: sampled, scaleMs } = await running.result
  assert.deepEqual(
    sampled.map(({ index }) => index),
    [1, 3]
  )
  assert.equal(scaleMs.length, 7)
})

test('images dropped before their batch has begun are left out as well', async () => {
  const running = sampler.sample(batch(2))
  running.drop([1])
  assert.deepEqual(
    (await running.result).images.map(({ index }) => index),
    [0]
  )
})

test('a process that dies fails its batch, and the next batch finds a new one', async () => {
  const { pid } = sampler
  await assert.rejects(sampler.sample(batch(2, () => kill(pid, 'SIGKILL'))).result, { code: 'sampler_crashed' })
  const { images: sampled } = await sampler.sample(batch(1)).result
  assert.equal(sampled.length, 1)
  assert.notEqual(sampler.pid, pid)
})

test('a process that hangs is replaced', async () => {
  const impatient = await Sampler.start([model], { ...OPTIONS, timeoutMs: 1_500 })
  try {
    const { pid } = impatient
    await assert.rejects(impatient.sample(batch(2, () => kill(pid, 'SIGSTOP'))).result, { code: 'sampler_crashed' })
    assert.equal((await impatient.sample(batch(1)).result).images.length, 1)
  } finally {
    await impatient.close()
  }
})

test('closing while a new process is awaited fails what waits for it, and returns', async () => {
  const closing = await Sampler.start([model], OPTIONS)
  await assert.rejects(closing.sample(batch(1, () => kill(closing.pid, 'SIGKILL'))).result, { code: 'sampler_crashed' })
  const waiting = assert.rejects(closing.sample(batch(1)).result)
  await closing.close()
  await waiting
})
