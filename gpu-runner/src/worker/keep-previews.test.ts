import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@nextscale/platform/testing'
import type { GenerateImageProgress } from '@nextscale/openapi'
import { pino } from 'pino'
import sharp from 'sharp'
import { openDiskStore, StoreUnavailable } from '@nextscale/platform/object-store'
import type { ObjectStore } from '@nextscale/platform/object-store'
import { keepPreviews } from './keep-previews.ts'
import { trackProgress } from './progress.ts'

const ID = `gen_${'a'.repeat(26)}`
const picture = (width: number, height = width) => ({ width, height, pixels: new Uint8Array(width * height * 3).fill(100) })

const keeper = (store: ObjectStore, signal = new AbortController().signal) => {
  const reports: GenerateImageProgress[] = []
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(line) })
  const tracker = trackProgress([1, 4, 9], 2, async (progress) => void reports.push(progress))
  return { previews: keepPreviews({ id: ID, store, tracker, signal, log }), reports, lines }
}

const diskStore = async (t: TestContext) => {
  const folder = await temporaryFolder(t)
  return {
    folder,
    store: await openDiskStore({ kind: 'disk', directory: folder, linkSecret: undefined, linkTtlSeconds: 60 }, 'writing')
  }
}

test('a preview is stored as a small WebP, and reported once it is', async (t) => {
  const { folder, store } = await diskStore(t)
  const { previews, reports } = keeper(store)
  previews.take(1, { scale: 2, ...picture(512), decodeMs: 5 })
  const cost = await previews.settled()
  assert.ok(cost !== null && cost > 5)
  const [stored] = reports.at(-1)?.previews ?? []
  assert.ok(stored)
  assert.deepEqual([stored.index, stored.scale, stored.key], [1, 2, `generations/${ID}/1-2.webp`])
  const bytes = await readFile(join(folder, stored.key))
  const { format, width, height } = await sharp(bytes).metadata()
  assert.deepEqual([format, width, height], ['webp', 256, 256])
  assert.deepEqual([stored.width, stored.height, stored.bytes], [256, 256, bytes.length])
})

test('one that cannot be stored is logged and left out; the others are there', async (t) => {
  const { store } = await diskStore(t)
  const flaky: ObjectStore = {
    ...store,
    put: async (key, ...rest) => {
      if (key.endsWith('/0-0.webp')) throw new StoreUnavailable('away', undefined)
      await store.put(key, ...rest)
    }
  }
  const { previews, reports, lines } = keeper(flaky)
  for (const scale of [0, 1]) previews.take(0, { scale, ...picture(32), decodeMs: 1 })
  await previews.settled()
  assert.deepEqual(
    reports.at(-1)?.previews?.map(({ scale }) => scale),
    [1]
  )
  assert.match(lines.join(''), /"scale":0.*a preview was left out/)
})

test('they are reported as they were drawn, coarse to fine, whichever is stored first', async (t) => {
  const { store } = await diskStore(t)
  const fineIsThere = Promise.withResolvers<void>()
  const slow: ObjectStore = {
    ...store,
    put: async (key, ...rest) => {
      if (key.endsWith('/0-0.webp')) await fineIsThere.promise
      await store.put(key, ...rest)
      if (key.endsWith('/0-1.webp')) fineIsThere.resolve()
    }
  }
  const { previews, reports } = keeper(slow)
  for (const scale of [0, 1]) previews.take(0, { scale, ...picture(32), decodeMs: 1 })
  await previews.settled()
  assert.deepEqual(
    reports.flatMap(({ previews: reported = [] }) => reported[0]?.scale ?? []),
    reports.map(() => 0)
  )
  assert.deepEqual(
    reports.at(-1)?.previews?.map(({ scale }) => scale),
    [0, 1]
  )
})

test('one that cannot be encoded is left out as well', async (t) => {
  const { previews, reports } = keeper((await diskStore(t)).store)
  previews.take(0, { scale: 0, ...picture(3), width: 32, height: 32, decodeMs: 1 })
  await previews.settled()
  assert.deepEqual(reports, [])
})

test('pixels that a batch sampled in halves sends again make no second preview', async (t) => {
  let puts = 0
  const { store } = await diskStore(t)
  const { previews } = keeper({ ...store, put: async () => void puts++ })
  for (const _ of [1, 2]) previews.take(0, { scale: 0, ...picture(32), decodeMs: 1 })
  await previews.settled()
  assert.equal(puts, 1)
})

test('nothing is stored once the attempt is over', async (t) => {
  const controller = new AbortController()
  const { previews, reports, lines } = keeper((await diskStore(t)).store, controller.signal)
  previews.take(0, { scale: 0, ...picture(32), decodeMs: 1 })
  controller.abort()
  previews.take(0, { scale: 1, ...picture(32), decodeMs: 1 })
  await previews.settled()
  assert.deepEqual([reports, lines], [[], []])
})

test('nor what a batch still brings while the attempt settles, which nobody would wait for', async (t) => {
  const { store } = await diskStore(t)
  const keys: string[] = []
  const { previews } = keeper({ ...store, put: async (key) => void keys.push(key) })
  previews.take(0, { scale: 0, ...picture(32), decodeMs: 1 })
  const settling = previews.settled()
  previews.take(1, { scale: 0, ...picture(32), decodeMs: 1 })
  await settling
  await previews.settled()
  assert.deepEqual(keys, [`generations/${ID}/0-0.webp`])
})

test('without previews there is no cost', async (t) => {
  assert.equal(await keeper((await diskStore(t)).store).previews.settled(), null)
})

test('a preview has the shape of its picture', async (t) => {
  const { store } = await diskStore(t)
  const { previews, reports } = keeper(store)
  previews.take(0, { scale: 0, ...picture(512, 128), decodeMs: 1 })
  previews.take(0, { scale: 1, ...picture(128, 512), decodeMs: 1 })
  previews.take(0, { scale: 2, ...picture(24, 32), decodeMs: 1 })
  await previews.settled()
  assert.deepEqual(
    reports.at(-1)?.previews?.map(({ width, height }) => [width, height]),
    [
      [256, 64],
      [64, 256],
      [24, 32]
    ]
  )
})
