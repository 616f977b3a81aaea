import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Generation } from '@nextscale/openapi'
import sharp from 'sharp'
import { type Deployment, deploy } from './support/deployment.ts'

/** Of the shipped model. */
const SCALES = 7
const BASE = { class_name: 'fox', seed: 7, cfg: 3, top_k: 200, top_p: 0.95 }
const FOX = 2
const NONE = { cfg: null, top_k: null, top_p: null, class_label: null }

let service: Deployment
before(async () => {
  service = await deploy()
})
after(() => service.close())

const all = <T>(value: T): T[] => new Array<T>(SCALES).fill(value)

const run = async (body: object): Promise<Generation> => {
  const generation = await service.client.finish((await service.client.generate({ ...BASE, ...body })).id)
  assert.equal(generation.status, 'succeeded', JSON.stringify(generation.error))
  return generation
}

const picture = async (body: object): Promise<Buffer> => service.client.fetchPicture((await run(body)).outputs[0]?.url ?? '')

const pixels = async (body: object): Promise<string> =>
  (
    await sharp(await picture(body))
      .raw()
      .toBuffer()
  ).toString('base64')

test('a schedule that says the same at every scale is the plain setting', async () => {
  const schedule = { top_k: all(9), top_p: all(0.5), class_label: all(FOX) }
  assert.equal(await pixels({ schedule, class_name: null, top_k: 0, top_p: 1 }), await pixels({ top_k: 9, top_p: 0.5 }))
})

test('cfg of a schedule is the strength as it is: the plain one is its ramp', async () => {
  const ramp = Array.from({ length: SCALES }, (_, k) => (3 * k) / (SCALES - 1))
  assert.equal(await pixels({ schedule: { cfg: ramp }, cfg: 0 }), await pixels({ cfg: 3 }))
  assert.notEqual(await pixels({ schedule: { cfg: all(3) } }), await pixels({ cfg: 3 }))
})

test('every array of a schedule acts, at the scale it names', async () => {
  const at = <T>(scale: number, value: T, otherwise: T) => all(otherwise).with(scale, value)
  const schedules = [
    null,
    { cfg: at(6, 20, 0) },
    { cfg: at(3, 20, 0) },
    { top_k: at(2, 1, 200) },
    { top_p: at(4, 0.01, 0.95) },
    { class_label: at<number | null>(5, 40, FOX) },
    { class_label: at<number | null>(1, null, FOX) }
  ]
  const made = await Promise.all(schedules.map((schedule) => pixels({ schedule })))
  assert.equal(new Set(made).size, schedules.length)
})

test('the schedule in force is shown, reproduces the picture, and is written into it', async () => {
  const schedule = { top_k: [1, 1, 1, 50, 100, 200, 0], class_label: [null, ...all(FOX).slice(1)] }
  const { input, outputs } = await run({ schedule })
  assert.partialDeepStrictEqual(input.schedule, { ...NONE, ...schedule })
  const bytes = await service.client.fetchPicture(outputs[0]?.url ?? '')
  assert.deepEqual(await picture({ schedule: input.schedule }), bytes)
  const { exif } = await sharp(bytes).metadata()
  assert.ok(exif?.toString('latin1').includes(`"smooth":false,"schedule":${JSON.stringify({ ...NONE, ...schedule })}`))
})

test('a schedule that sets nothing is none', async () => {
  for (const schedule of [null, {}, NONE]) assert.equal((await service.client.generate({ schedule })).input.schedule, null)
})

test('generations with other schedules share a batch', async () => {
  const { client } = service
  const bodies = Array.from({ length: 12 }, (_, seed) => ({ ...BASE, seed, schedule: { cfg: all(seed), top_k: all(seed * 10) } }))
  const accepted = await Promise.all(bodies.map((body) => client.generate(body)))
  const generations = await Promise.all(accepted.map(({ id }) => client.finish(id)))
  assert.ok(generations.some(({ metrics }) => (metrics.batch_size ?? 0) > 2))
  const last = generations.at(-1)?.outputs[0]
  assert.equal((await run(bodies.at(-1) ?? {})).outputs[0]?.sha256, last?.sha256)
})

test('smooth changes the picture, and gives the same one again for the same seed', async () => {
  const smoothed = await pixels({ smooth: true })
  assert.notEqual(smoothed, await pixels({}))
  assert.equal(await pixels({ smooth: true }), smoothed)
})
