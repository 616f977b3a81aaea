import assert from 'node:assert/strict'
import { readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { MB, openBucketWorld, putModel, randomContent } from '../testing/bucket-models.ts'
import { fetchModel, touch } from './fetch-model.ts'
import { sweepCache } from './sweep-cache.ts'

const DAY_MS = 86_400_000

test('what nobody has used for a week is removed, but for files that a folder in use shares', async (t) => {
  const { server, options, cache } = await openBucketWorld(t)
  const [shared, own] = [randomContent(MB), randomContent(MB)]
  putModel(server, 'a', { 'one.bin': shared, 'two.bin': own })
  putModel(server, 'b', { 'one.bin': shared }, { name: 'b' })
  const [old, used] = [await fetchModel('s3://models/a', options), await fetchModel('s3://models/b', options)]
  for (const folder of ['models', 'files', 'names']) {
    for (const name of await readdir(join(cache, folder)))
      await utimes(join(cache, folder, name), new Date(), new Date(Date.now() - 8 * DAY_MS))
  }
  await touch(used)
  assert.equal((await sweepCache(cache, Date.now() - 2 * DAY_MS)).length, 0)
  const removed = await sweepCache(cache)
  assert.ok(removed.includes(old))
  assert.deepEqual(await readdir(join(cache, 'models')), [used.split('/').at(-1)])
  assert.equal((await readdir(join(cache, 'files'))).length, 1)
  // What is wanted again is fetched again, as far as it is gone.
  server.requests.length = 0
  await fetchModel('s3://models/a', options)
  assert.deepEqual(
    server.requests.map(({ key }) => key),
    ['a/manifest.json', 'a/two.bin', 'a/two.bin', 'a/two.bin']
  )
})

test('a file that was left unfinished for a week is removed, and a younger one is not', async (t) => {
  const { server, options, cache } = await openBucketWorld(t)
  putModel(server, 'a', { 'one.bin': randomContent(64 * MB) })
  server.fault = ({ range }) => (range?.startsWith('bytes=0-') ? { status: 403, code: 'AccessDenied' } : undefined)
  await assert.rejects(fetchModel('s3://models/a', options))
  assert.ok((await readdir(join(cache, 'parts'))).length > 0)
  assert.deepEqual(await sweepCache(cache, Date.now() + 6 * DAY_MS), [])
  await sweepCache(cache, Date.now() + 8 * DAY_MS)
  assert.deepEqual(await readdir(join(cache, 'parts')), [])
})
