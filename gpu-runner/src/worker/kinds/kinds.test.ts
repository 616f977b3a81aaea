import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { type GenerateImagePayload, JOB_KIND_NAMES, JOB_KINDS, type JobKind, pictureKey } from '@nextscale/openapi'
import { type ObjectStore, openDiskStore, StoreUnavailable } from '@nextscale/platform/object-store'
import { temporaryFolder } from '@nextscale/platform/testing'
import { pino } from 'pino'
import sharp from 'sharp'
import Type from 'typebox'
import type { ServedModel } from '../../families/family.ts'
import { openServedModel } from '../../families/open-served-model.ts'
import { keyOf } from '../../model/model-ref.ts'
import { Sampler } from '../../sampler/sampler.ts'
import { SHIPPED_MODEL } from '../../testing/folders.ts'
import { SILENT } from '../announce-events.ts'
import { createBatcher } from '../batcher.ts'
import { type JobContext, processJob } from '../process-job.ts'
import { handlerOf, type JobHandlers } from './handler.ts'
import { HANDLERS } from './table.ts'

const ID = `gen_${'a'.repeat(26)}`
const GIVEN = pictureKey(`gen_${'b'.repeat(26)}`, 0, 'png')
const OVERLAY = 'overlay-of-this-test'
const log = pino({ level: 'silent' })
const { signal } = new AbortController()

/** A kind of the tests' own, under a name that nobody gives one: a picture is laid over one that lies in the store, so many parts of 100 of it. */
const overlay = {
  does: 'lays what it draws over a stored picture',
  own: Type.Object({ key: Type.String(), share: Type.Integer({ minimum: 0, maximum: 100 }) })
} satisfies JobKind

const collect = async (body: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const handlers: JobHandlers = {
  ...HANDLERS,
  [OVERLAY]: handlerOf(overlay, async ({ plan, own: { key, share } }, { store }) => {
    const { body } = await store.open(key)
    const given = await sharp(await collect(body))
      .raw()
      .toBuffer()
    return {
      requestOf: (index) => plan.requestOf(index),
      settingsOf: (index) => ({ ...plan.settingsOf(index), share }),
      finish: async (picture) => ({
        ...picture,
        pixels: picture.pixels.map((value, place) => (value * (100 - share) + (given[place] ?? 0) * share) / 100)
      })
    }
  })
}

let model: ServedModel
let sampler: Sampler
before(async () => {
  model = await openServedModel(SHIPPED_MODEL)
  const form = { form: 'step', threads: 2, precision: null, cache: null } as const
  sampler = await Sampler.start([model], { form, timeoutMs: 60_000, log })
})
after(() => sampler.close())

const open = async (t: TestContext) => {
  const folder = await temporaryFolder(t)
  const store = await openDiskStore({ kind: 'disk', directory: folder, linkSecret: undefined, linkTtlSeconds: 60 }, 'writing')
  const run = (changes: Partial<GenerateImagePayload>, from: Pick<ObjectStore, 'put' | 'open'> = store) => {
    const context: JobContext = {
      models: new Map([[keyOf(model), model]]),
      handlers,
      batcher: createBatcher(sampler, { maxBatch: 4, windowMs: 0 }),
      store: from,
      cancels: { isCanceled: async () => false, watch: () => () => undefined, check: () => undefined },
      form: 'step',
      takeUp: async () => ({ ended: null, now: 0, faults: 0, timesAside: 0 }),
      liveEvents: { of: () => SILENT, settled: () => Promise.resolve() },
      log
    }
    const data: GenerateImagePayload = {
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
        priority: 'normal'
      },
      ...changes
    }
    return processJob({ id: ID, data, createdAt: 0, run: 1, report: () => Promise.resolve() }, context, signal)
  }
  const pixels = async () =>
    sharp(await readFile(join(folder, pictureKey(ID, 0, 'png'))))
      .raw()
      .toBuffer()
  return { store, run, pixels }
}

const white = () =>
  sharp({ create: { width: 32, height: 32, channels: 3, background: 'white' } })
    .png()
    .toBuffer()

test('every kind of the contract has a handler', () => {
  assert.deepEqual(Object.keys(HANDLERS), [...JOB_KIND_NAMES])
  assert.deepEqual(Object.keys(JOB_KINDS), [...JOB_KIND_NAMES])
})

test('a job of another kind reads what it needs from the store, and changes what is drawn before it is stored', async (t) => {
  const { store, run, pixels } = await open(t)
  await store.put(GIVEN, { body: await white(), contentType: 'image/png' })
  await run({})
  const drawn = await pixels()
  await run({ kind: 'generate' })
  assert.deepEqual(await pixels(), drawn)
  await run({ kind: OVERLAY, own: { key: GIVEN, share: 50 } })
  const overlaid = await pixels()
  for (const [place, value] of overlaid.entries()) assert.equal(value, Math.floor(((drawn[place] ?? 0) + 255) / 2))
})

for (const [what, own, message] of [
  ['nothing of its own', undefined, /\/own .*key/],
  ['a part that is not what it must be', { key: GIVEN, share: 'half' }, /\/own\/share must be integer/]
] as const)
  test(`one with ${what} is refused for good, and says which field is wrong`, async (t) => {
    const { run } = await open(t)
    await assert.rejects(run({ kind: OVERLAY, ...(own && { own }) }), (error: Error & { code?: string }) => {
      assert.deepEqual([error.name, error.code], ['JobError', 'invalid_job'])
      assert.match(error.message, message)
      return true
    })
  })

test('one that a store which is away holds up may be tried again', async (t) => {
  const { store, run } = await open(t)
  const away: Pick<ObjectStore, 'put' | 'open'> = {
    put: (...args) => store.put(...args),
    open: () => Promise.reject(new StoreUnavailable('away', undefined))
  }
  await assert.rejects(run({ kind: OVERLAY, own: { key: GIVEN, share: 50 } }, away), { name: 'StoreUnavailable' })
})

for (const kind of ['unheard-of', 'constructor', 'toString'])
  test(`a kind that is not known here ("${kind}") waits for a runner that knows it`, async (t) => {
    const { run } = await open(t)
    await assert.rejects(run({ kind }), {
      name: 'NotServed',
      message: `It waits for a runner that knows jobs of the kind ${kind}, as another release does.`
    })
  })
