import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, test } from 'node:test'
import type { S3StoreConfig } from '../config/index.ts'
import type { ObjectStore } from './object-store.ts'
import { openS3Store } from './s3.ts'

const ID = 'gen_aaaaaaaaaaaaaaaaaaaaaaaaaa'
const PREFIX = `generations/${ID}/`

/** Just enough of a bucket to list and delete, in the protocol of S3. */
const bucket = { keys: new Set<string>(), pageSize: 1000, refuse: false, isDown: false, checksums: 0 }

const listing = (prefix: string): string => {
  const matching = [...bucket.keys].filter((key) => key.startsWith(prefix))
  const contents = matching.slice(0, bucket.pageSize).map((key) => `<Contents><Key>${key}</Key></Contents>`)
  return `<ListBucketResult><IsTruncated>${matching.length > bucket.pageSize}</IsTruncated>${contents.join('')}</ListBucketResult>`
}

const deletion = (body: string): string => {
  const keys = [...body.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key = '']) => key)
  if (bucket.refuse)
    return `<DeleteResult><Error><Key>${keys[0]}</Key><Code>AccessDenied</Code><Message>No</Message></Error></DeleteResult>`
  for (const key of keys) bucket.keys.delete(key)
  return '<DeleteResult></DeleteResult>'
}

const readBody = async (request: IncomingMessage): Promise<string> => {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const body = await readBody(request)
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://s3')
  const key = pathname.replace('/pictures/', '')
  if (`${request.url} ${Object.keys(request.headers).join()}`.includes('checksum-crc')) bucket.checksums++
  if (bucket.isDown) response.statusCode = 503
  else if (request.method === 'PUT') bucket.keys.add(key)
  else if (request.method === 'HEAD') response.statusCode = bucket.keys.has(key) ? 200 : 404
  else if (request.method === 'GET' && request.url?.includes('.png')) response.setHeader('etag', '"tag"').end('a picture')
  else response.write(request.method === 'POST' ? deletion(body) : listing(searchParams.get('prefix') ?? ''))
  if (!response.writableEnded) response.end()
}

let server: Server
let store: ObjectStore
let config: S3StoreConfig
const saved = { ...process.env }

before(async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' })
  server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const endpoint = `http://127.0.0.1:${port}`
  config = {
    kind: 's3',
    bucket: 'pictures',
    endpoint,
    publicEndpoint: undefined,
    region: 'us-east-1',
    forcePathStyle: true,
    keyPrefix: 'team/',
    linkTtlSeconds: 600
  }
  store = openS3Store(config)
})
after(() => {
  store.close()
  server.close()
  process.env = saved
})
beforeEach(() => Object.assign(bucket, { keys: new Set(), pageSize: 1000, refuse: false, isDown: false }))

test('a link leads to the object in the bucket and states when it really ends', async () => {
  const now = 1_800_000_000_500
  const { url, expiresAt } = await openS3Store(config, () => now).link(`${PREFIX}0.png`, {
    base: 'http://api',
    notAfter: now * 2
  })
  const { pathname, searchParams } = new URL(url)
  assert.equal(pathname, `/pictures/team/${PREFIX}0.png`)
  assert.equal(searchParams.get('X-Amz-Expires'), '600')
  assert.equal(expiresAt, 1_800_000_600_000)
})

test('links name the public endpoint where there is one, and nothing else goes there', async () => {
  const open = openS3Store({ ...config, publicEndpoint: 'https://pictures.example.com' })
  const { url } = await open.link(`${PREFIX}0.png`, { base: '', notAfter: Date.now() * 2 })
  assert.equal(new URL(url).origin, 'https://pictures.example.com')
  assert.equal(await text((await open.open(`${PREFIX}0.png`)).body), 'a picture')
  open.close()
})

test('a mark is found again, and one that was not left is not', async () => {
  assert.equal(await store.isMarked('keys-made'), false)
  await store.mark('keys-made')
  assert.equal(await store.isMarked('keys-made'), true)
  bucket.isDown = true
  await assert.rejects(store.isMarked('other'), { name: 'StoreUnavailable' })
})

test('no request carries the newer checksums, which compatible stores may not know', async () => {
  bucket.checksums = 0
  await store.mark('checked')
  await store.open(`${PREFIX}0.png`)
  assert.equal(bucket.checksums, 0)
})

test('a link does not outlive the generation', async () => {
  const now = 1_800_000_000_000
  const { url, expiresAt } = await openS3Store(config, () => now).link(`${PREFIX}0.png`, { base: '', notAfter: now + 42_900 })
  assert.equal(expiresAt, now + 42_000)
  assert.equal(new URL(url).searchParams.get('X-Amz-Expires'), '42')
})

test('a link does not outlive the credentials that signed it', async () => {
  const now = Date.now()
  process.env['AWS_CREDENTIAL_EXPIRATION'] = new Date(now + 400_000).toISOString()
  const { expiresAt } = await openS3Store(config, () => now).link(`${PREFIX}0.png`, { base: '', notAfter: now * 2 })
  delete process.env['AWS_CREDENTIAL_EXPIRATION']
  assert.ok(expiresAt <= now + 400_000 && expiresAt > now + 398_000)
})

test('removing takes every object of the generation, over pages, and no other', async () => {
  for (let index = 0; index < 7; index++) bucket.keys.add(`team/${PREFIX}${index}.png`)
  bucket.keys.add('team/generations/gen_b/0.png')
  bucket.pageSize = 3
  await store.remove(PREFIX)
  assert.deepEqual([...bucket.keys], ['team/generations/gen_b/0.png'])
  await store.remove(PREFIX)
})

test('an object is opened with its length and tag', async () => {
  const { body, sizeBytes, etag } = await store.open(`${PREFIX}0.png`)
  assert.deepEqual([sizeBytes, etag, await text(body)], [9, '"tag"', 'a picture'])
})

test('objects that could not be deleted are a failure, though S3 answers 200', async () => {
  bucket.keys.add(`team/${PREFIX}0.png`)
  bucket.refuse = true
  await assert.rejects(store.remove(PREFIX), { name: 'StoreUnavailable' })
})

test('a bucket that is down is said to be unavailable', async () => {
  bucket.isDown = true
  await assert.rejects(store.remove(PREFIX), { name: 'StoreUnavailable' })
})
