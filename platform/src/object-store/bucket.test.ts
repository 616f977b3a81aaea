import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { type S3Fault, startS3 } from '../testing/s3-server.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { openBucket } from './bucket.ts'

Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' })

const KEY = 'some/weights.bin'
const CONTENT = Buffer.from('0123456789')

const open = async (t: TestContext, name = 'models') => {
  const server = await startS3('models')
  const bucket = openBucket(server.access, name)
  server.objects.set(`models/${KEY}`, CONTENT)
  t.after(async () => {
    bucket.close()
    await server.close()
  })
  return { server, bucket }
}

test('an object is looked at, read whole, and read in parts of the content that was looked at', async (t) => {
  const { bucket } = await open(t)
  const { sizeBytes, etag } = await bucket.stat(KEY)
  assert.equal(sizeBytes, 10)
  assert.deepEqual(await bucket.read(KEY, 10), CONTENT)
  assert.equal(String(await buffer(await bucket.open(KEY, { from: 3, to: 7, etag }))), '3456')
})

test('a part of an object that was replaced meanwhile is not handed out, nor is one of what is gone', async (t) => {
  const { server, bucket } = await open(t)
  const { etag } = await bucket.stat(KEY)
  server.objects.set(`models/${KEY}`, Buffer.from('9876543210'))
  await assert.rejects(bucket.open(KEY, { from: 0, to: 4, etag }), { name: 'NoSuchObject' })
  for (const missing of [bucket.stat('none'), bucket.read('none', 1), bucket.open('none', { from: 0, to: 1, etag })])
    await assert.rejects(missing, { name: 'NoSuchObject' })
})

test('more than was asked for is not read', async (t) => {
  const { bucket } = await open(t)
  await assert.rejects(bucket.read(KEY, 9), { name: 'RangeError', message: /has 10 bytes, and at most 9 are read/ })
})

const refusals: [what: string, fault: S3Fault, sentence: RegExp][] = [
  [
    'no access',
    { status: 403, code: 'AccessDenied' },
    /^s3:\/\/models: access is denied, or nothing is there: the credentials need/
  ],
  ['an unknown key', { status: 403, code: 'InvalidAccessKeyId' }, /the access key is unknown: set AWS_ACCESS_KEY_ID/],
  ['a wrong secret', { status: 403, code: 'SignatureDoesNotMatch' }, /the secret key is wrong: set AWS_SECRET_ACCESS_KEY/],
  [
    'an unforeseen refusal',
    { status: 403, code: 'RequestTimeTooSkewed' },
    /: the server refuses \(RequestTimeTooSkewed: RequestTimeTooSkewed\)\.$/
  ],
  ['another region', { status: 301, code: 'PermanentRedirect' }, /in another region: set S3_REGION/]
]
for (const [what, fault, sentence] of refusals) {
  test(`${what} is for the operator to mend, and said so, also where an answer has no body`, async (t) => {
    const { server, bucket } = await open(t)
    server.fault = () => fault
    await assert.rejects(bucket.read(KEY, 10), { name: 'BucketRefused', message: sentence })
    await assert.rejects(bucket.stat(KEY), { name: 'BucketRefused' })
  })
}

test('an unknown key is said to be one also where the server calls it a thing that is not there', async (t) => {
  const { server, bucket } = await open(t)
  server.fault = () => ({ status: 404, code: 'XAdminUserNotFound' })
  await assert.rejects(bucket.read(KEY, 10), {
    name: 'BucketRefused',
    message: /the access key is unknown: set AWS_ACCESS_KEY_ID/
  })
})

test('a bucket that is not there is said not to be', async (t) => {
  const { bucket } = await open(t, 'other')
  await assert.rejects(bucket.read(KEY, 10), { name: 'BucketRefused', message: 's3://other: there is no such bucket.' })
})

test('a server that fails, or is away, may come back', async (t) => {
  const { server, bucket } = await open(t)
  for (const fault of [
    { status: 503, code: 'SlowDown' },
    { status: 500, code: 'InternalError' },
    { status: 429, code: 'TooMany' }
  ]) {
    server.fault = () => fault
    await assert.rejects(bucket.read(KEY, 10), { name: 'StoreUnavailable', message: 's3://models cannot be reached now.' })
  }
  await server.close()
  await assert.rejects(bucket.stat(KEY), { name: 'StoreUnavailable' })
})

test('a signal ends what waits', async (t) => {
  const { server, bucket } = await open(t)
  server.fault = () => 'silence'
  const stop = new AbortController()
  const waiting = assert.rejects(bucket.read(KEY, 10, stop.signal), /enough/)
  setTimeout(() => stop.abort(new Error('enough')), 50)
  await waiting
})

test('a file is put as it is, and a large one in parts; one that fails leaves nothing', async (t) => {
  const { server, bucket } = await open(t)
  const folder = await temporaryFolder(t)
  for (const sizeBytes of [0, 5, 64 * 2 ** 20, 64 * 2 ** 20 + 5]) {
    const path = join(folder, String(sizeBytes))
    const content = Buffer.alloc(sizeBytes, 'nextscale')
    await writeFile(path, content)
    let told = 0
    await bucket.putFile(`put/${sizeBytes}`, { path, onBytes: (bytes) => (told += bytes) })
    assert.equal(told, sizeBytes)
    assert.ok(server.objects.get(`models/put/${sizeBytes}`)?.equals(content))
  }
  const before = [...server.objects.keys()]
  // The first asks for an upload, the second would complete it.
  let posts = 0
  server.fault = ({ method }) => (method === 'POST' && ++posts > 1 ? { status: 403, code: 'AccessDenied' } : undefined)
  await assert.rejects(bucket.putFile('put/late', { path: join(folder, String(64 * 2 ** 20 + 5)) }), { name: 'BucketRefused' })
  assert.deepEqual([...server.objects.keys()], before)
})
