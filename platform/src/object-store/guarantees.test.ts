import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { pictureKey } from '@nextscale/openapi'
import { startS3 } from '../testing/s3-server.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import type { ObjectStore, StoredGeneration } from './object-store.ts'
import { openObjectStore } from './open.ts'

Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' })

/** Every kind of store there is; what is written below holds of all. */
const STORES: Readonly<Record<string, (t: TestContext) => Promise<ObjectStore>>> = {
  disk: async (t) =>
    openObjectStore({ kind: 'disk', directory: await temporaryFolder(t), linkSecret: undefined, linkTtlSeconds: 60 }, 'writing'),
  s3: async (t) => {
    const server = await startS3('pictures')
    t.after(() => server.close())
    const place = { bucket: 'pictures', keyPrefix: 'made/', publicEndpoint: undefined, linkTtlSeconds: 60 }
    return openObjectStore({ kind: 's3', ...server.access, ...place }, 'looking')
  }
}

const [ONE, OTHER] = ['a', 'b'].map((letter) => `gen_${letter.repeat(26)}`) as [string, string]
const KEY = pictureKey(ONE, 0, 'png')
const picture = (text: string) => ({ body: Buffer.from(text), contentType: 'image/png' })

const listOf = async (store: ObjectStore) => {
  const found: StoredGeneration[] = []
  for await (const each of store.list()) found.push(each)
  return found
}

for (const [kind, open] of Object.entries(STORES)) {
  const opened = async (t: TestContext) => {
    const store = await open(t)
    t.after(() => store.close())
    return store
  }

  test(`${kind}: what was put is read as it is, with the size and the ETag that a look at it tells`, async (t) => {
    const store = await opened(t)
    const before = Date.now()
    await store.put(KEY, picture('a picture'))
    const { sizeBytes, etag, changedAt } = await store.stat(KEY)
    const object = await store.open(KEY)
    assert.equal(String(await buffer(object.body)), 'a picture')
    assert.deepEqual([sizeBytes, etag], [object.sizeBytes, object.etag])
    assert.equal(sizeBytes, 9)
    // S3 tells seconds.
    assert.ok(changedAt >= before - 1_000 && changedAt <= Date.now() + 1_000, String(changedAt))
  })

  test(`${kind}: putting again replaces the object, and changes its ETag`, async (t) => {
    const store = await opened(t)
    await store.put(KEY, picture('first'))
    const first = await store.stat(KEY)
    await store.put(KEY, picture('the second'))
    assert.equal(String(await buffer((await store.open(KEY)).body)), 'the second')
    assert.notEqual((await store.stat(KEY)).etag, first.etag)
  })

  test(`${kind}: of what is not there every look says so`, async (t) => {
    const store = await opened(t)
    await assert.rejects(store.stat(KEY), { name: 'NoSuchObject' })
    await assert.rejects(store.open(KEY), { name: 'NoSuchObject' })
  })

  test(`${kind}: generations are listed with their sizes; removing one takes its objects and no others, and again is fine`, async (t) => {
    const store = await opened(t)
    for (const key of [KEY, pictureKey(ONE, 1, 'png'), pictureKey(OTHER, 0, 'png')]) await store.put(key, picture('x'))
    const listed = async () =>
      (await listOf(store)).map(({ id, objects, sizeBytes }) => `${id} ${objects} ${sizeBytes}`).toSorted()
    assert.deepEqual(await listed(), [`${ONE} 2 2`, `${OTHER} 1 1`])
    for (let times = 0; times < 2; times++) await store.remove(`generations/${ONE}/`)
    assert.deepEqual(await listed(), [`${OTHER} 1 1`])
    await assert.rejects(store.stat(KEY), { name: 'NoSuchObject' })
  })

  test(`${kind}: a link says when it ends, and outlives nothing that it must not`, async (t) => {
    const store = await opened(t)
    const notAfter = Math.floor(Date.now() / 1_000) * 1_000 + 10_000
    const { url, expiresAt } = await store.link(KEY, { base: 'http://api', notAfter })
    assert.ok(URL.canParse(url) && expiresAt <= notAfter)
    assert.ok((await store.link(KEY, { base: 'http://api', notAfter: notAfter * 2 })).expiresAt <= Date.now() + 60_000)
  })

  test(`${kind}: a mark is found again, and is no object of a generation`, async (t) => {
    const store = await opened(t)
    assert.equal(await store.isMarked('keys-made'), false)
    await store.mark('keys-made')
    assert.equal(await store.isMarked('keys-made'), true)
    assert.deepEqual(await listOf(store), [])
  })
}
