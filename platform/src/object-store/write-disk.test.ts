import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { pictureKey } from '@nextscale/openapi'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { openDiskStore, type StoreUse } from './disk.ts'

const KEY = pictureKey(`gen_${'a'.repeat(26)}`, 0, 'png')

const open = (directory: string, use: StoreUse = 'writing') =>
  openDiskStore({ kind: 'disk', directory, linkSecret: undefined, linkTtlSeconds: 60 }, use)

const picture = (text: string) => ({ body: Buffer.from(text), contentType: 'image/png' })

test('an object is stored whole under its key, and storing it again replaces it', async (t) => {
  const folder = await temporaryFolder(t)
  const store = await open(folder)
  await store.put(KEY, picture('first'))
  await store.put(KEY, picture('second'))
  assert.equal(await readFile(join(folder, KEY), 'utf8'), 'second')
  assert.deepEqual(await readdir(join(folder, '.unfinished')), [])
})

test('only keys of the contract reach the file system', async (t) => {
  const store = await open(await temporaryFolder(t))
  for (const key of ['../x.png', `generations/../../${KEY}`, '/etc/passwd', `${KEY}/../1.png`, `${KEY}\0`, '']) {
    await assert.rejects(store.put(key, picture('x')), TypeError)
  }
})

test('a folder that cannot be written is an outage, which is tried again', async (t) => {
  const folder = await temporaryFolder(t)
  const store = await open(folder)
  // A file where a folder is needed stops even root.
  await writeFile(join(folder, 'generations'), '')
  await assert.rejects(store.put(KEY, picture('x')), { name: 'StoreUnavailable' })
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
  await open(folder)
  assert.deepEqual(await readdir(unfinished), ['new'])
})

test('removing takes a generation’s folder, is idempotent, and takes nothing else', async (t) => {
  const directory = await temporaryFolder(t)
  const id = 'gen_caaaaaaaaaaaaaaaaaaaaaaaaa'
  const store = await open(directory)
  await store.put(KEY, picture('a picture'))
  await store.put(pictureKey(id, 0, 'png'), picture('x'))
  await store.remove(`generations/${id}/`)
  await store.remove(`generations/${id}/`)
  await assert.rejects(stat(join(directory, 'generations', id)))
  assert.equal(await readFile(join(directory, KEY), 'utf8'), 'a picture')
  for (const prefix of ['', '/', 'generations/', '../', `generations/${id}`])
    await assert.rejects(store.remove(prefix), TypeError)
})
