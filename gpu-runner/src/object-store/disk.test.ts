import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { pictureKey } from '@nextscale/openapi'
import { temporaryFolder } from '../testing/folders.ts'
import { createDiskStore } from './disk.ts'

const KEY = pictureKey(`gen_${'a'.repeat(26)}`, 0, 'png')
const { signal } = new AbortController()

test('an object is stored whole under its key, and storing it again replaces it', async (t) => {
  const folder = await temporaryFolder(t)
  const store = await createDiskStore(folder)
  await store.put(KEY, Buffer.from('first'), 'image/png', signal)
  await store.put(KEY, Buffer.from('second'), 'image/png', signal)
  assert.equal(await readFile(join(folder, KEY), 'utf8'), 'second')
  assert.deepEqual(await readdir(join(folder, '.unfinished')), [])
})

test('only keys of the contract reach the file system', async (t) => {
  const store = await createDiskStore(await temporaryFolder(t))
  for (const key of ['../x.png', `generations/../../${KEY}`, '/etc/passwd', `${KEY}/../1.png`, `${KEY}\0`, '']) {
    await assert.rejects(store.put(key, Buffer.from('x'), 'image/png', signal), { code: 'internal_error' })
  }
})

test('a folder that cannot be written is an outage, which is tried again', async (t) => {
  const folder = await temporaryFolder(t)
  const store = await createDiskStore(folder)
  // A file where a folder is needed stops even root.
  await writeFile(join(folder, 'generations'), '')
  await assert.rejects(store.put(KEY, Buffer.from('x'), 'image/png', signal), { code: 'object_store_unavailable' })
  assert.deepEqual(await readdir(join(folder, '.unfinished')), [])
})

test('what a killed runner left is removed after an hour, and not before', async (t) => {
  const folder = await temporaryFolder(t)
  const unfinished = join(folder, '.unfinished')
  await mkdir(unfinished)
  await chmod(unfinished, 0o755)
  for (const name of ['old', 'new']) await writeFile(join(unfinished, name), '')
  const twoHoursAgo = new Date(Date.now() - 2 * 3_600_000)
  await utimes(join(unfinished, 'old'), twoHoursAgo, twoHoursAgo)
  await createDiskStore(folder)
  assert.deepEqual(await readdir(unfinished), ['new'])
})
