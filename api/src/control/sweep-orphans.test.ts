import assert from 'node:assert/strict'
import { access, mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { generationPrefix, pictureKey } from '@nextscale/openapi'
import { newGenerationId } from '../generations/id.ts'
import { openDiskStore } from '@nextscale/platform/object-store'
import type { ObjectStore } from '@nextscale/platform/object-store'
import { openTestApp, type TestApp } from '../testing/test-app.ts'
import { createOrphanSweep, type OrphansContext } from './sweep-orphans.ts'

const AGE_SECONDS = 1000
const INTERVAL_MS = 60_000

let context: TestApp
let store: ObjectStore
before(async () => {
  context = await openTestApp()
  store = await openDiskStore({ kind: 'disk', directory: context.directory, linkSecret: undefined, linkTtlSeconds: 60 }, 'links')
})
after(() => context.close())
beforeEach(() => context.redis.del(context.keys.orphansLooked))

const { signal } = new AbortController()
const sweeping = (changes: Partial<OrphansContext> = {}) =>
  createOrphanSweep({
    ...context,
    log: context.app.log,
    store,
    signal,
    orphanAgeSeconds: AGE_SECONDS,
    orphanIntervalMs: INTERVAL_MS,
    ...changes
  })

const pathOf = (id: string) => join(context.directory, generationPrefix(id))

/** Stores a picture that has lain there for a while. */
const put = async (id: string, ageSeconds: number): Promise<void> => {
  await mkdir(pathOf(id), { recursive: true })
  const file = join(context.directory, pictureKey(id, 0, 'png'))
  await writeFile(file, 'a picture')
  const at = Date.now() / 1000 - ageSeconds
  for (const path of [file, pathOf(id)]) await utimes(path, at, at)
}

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false
  )

test('pictures go that no generation of Redis has, once they have lain long enough, and no others', async () => {
  const [old, young, queued, stored] = [newGenerationId(), newGenerationId(), (await context.generate({})).id, newGenerationId()]
  await context.redis.zadd(context.keys.expiry, Date.now(), stored)
  for (const id of [old, queued, stored]) await put(id, AGE_SECONDS + 5)
  await put(young, AGE_SECONDS - 60)
  const others = [
    join(context.directory, '.link-secret'),
    join(context.directory, 'generations/notes'),
    join(context.directory, 'generations', newGenerationId())
  ]
  await mkdir(others[1] ?? '')
  await symlink(context.directory, others[2] ?? '')
  await sweeping()()
  assert.deepEqual(await Promise.all([old, young, queued, stored].map((id) => isThere(pathOf(id)))), [false, true, true, true])
  for (const path of others) assert.ok(await isThere(path), path)
})

test('more than are looked up at once', async () => {
  const ids = Array.from({ length: 250 }, newGenerationId)
  for (const [place, id] of ids.entries()) {
    await put(id, AGE_SECONDS + 5)
    if (place % 10 === 0) await context.redis.zadd(context.keys.expiry, Date.now(), id)
  }
  await sweeping()()
  const left = await Promise.all(ids.map((id) => isThere(pathOf(id))))
  assert.deepEqual(
    left,
    ids.map((_, place) => place % 10 === 0)
  )
})

test('they are looked for once in an interval by all processes together, and at once again after a failure', async () => {
  let looks = 0
  const counted = { ...store, list: () => (looks++, store.list()) }
  await Promise.all([sweeping({ store: counted })(), sweeping({ store: counted })()])
  assert.equal(looks, 1)
  const id = newGenerationId()
  await put(id, AGE_SECONDS + 5)
  await context.redis.del(context.keys.orphansLooked)
  const failing = { ...store, remove: () => Promise.reject(new Error('no')) }
  await assert.rejects(sweeping({ store: failing })(), /^Error: no$/)
  await sweeping()()
  assert.equal(await isThere(pathOf(id)), false)
  const left = await context.redis.pttl(context.keys.orphansLooked)
  assert.ok(left > INTERVAL_MS - 10_000 && left <= INTERVAL_MS)
})

test('a Redis that does not answer loses no picture', async () => {
  const id = newGenerationId()
  await put(id, AGE_SECONDS + 5)
  const redis = context.redis.duplicate()
  redis.disconnect()
  await assert.rejects(sweeping({ redis })())
  assert.ok(await isThere(pathOf(id)))
})
