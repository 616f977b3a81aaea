import assert from 'node:assert/strict'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from '@nextscale/platform/config'
import { ModelError } from '../errors.ts'
import { MB, openBucketWorld, putModel, randomContent, sha256 } from '../testing/bucket-models.ts'
import { guardDisk } from './cache-folder.ts'
import { fetchModel } from './fetch-model.ts'

const URL_OF_A = 's3://models/a'

test('a folder is fetched once, and after that only its manifest is read', async (t) => {
  const { server, options, ranges } = await openBucketWorld(t)
  const files = { 'one.bin': randomContent(40 * MB), 'two.bin': randomContent(5), 'three.bin': Buffer.alloc(0) }
  putModel(server, 'a', files)
  const folder = await fetchModel(URL_OF_A, options)
  for (const [name, content] of Object.entries(files)) assert.ok((await readFile(join(folder, name))).equals(content), name)
  assert.deepEqual(
    ranges('one.bin').toSorted((a, b) => a - b),
    [0, 16 * MB, 32 * MB]
  )
  const before = server.requests.length
  assert.equal(await fetchModel(`${URL_OF_A}/`, options), folder)
  assert.deepEqual(
    server.requests.slice(before).map(({ key }) => key),
    ['a/manifest.json']
  )
})

test('two names of one content share its files, and a changed manifest fetches only what changed', async (t) => {
  const { server, options, ranges } = await openBucketWorld(t)
  const [same, first, second] = [randomContent(MB), randomContent(MB), randomContent(MB)]
  putModel(server, 'a', { 'same.bin': same, 'own.bin': first })
  putModel(server, 'b', { 'alike.bin': same, 'own.bin': first }, { name: 'b' })
  const [a, b] = [await fetchModel(URL_OF_A, options), await fetchModel('s3://models/b', options)]
  assert.notEqual(a, b)
  assert.equal((await stat(join(a, 'same.bin'))).ino, (await stat(join(b, 'alike.bin'))).ino)
  assert.equal(ranges('alike.bin').length, 0)
  putModel(server, 'a', { 'same.bin': same, 'own.bin': second })
  const changed = await fetchModel(URL_OF_A, options)
  assert.notEqual(changed, a)
  assert.ok((await readFile(join(changed, 'own.bin'))).equals(second))
  assert.ok((await readFile(join(a, 'own.bin'))).equals(first))
  assert.equal(ranges('same.bin').length, 1)
})

test('a download that breaks off goes on where it was, without being told to', async (t) => {
  const { server, options, ranges, told } = await openBucketWorld(t)
  const content = randomContent(100 * MB)
  putModel(server, 'a', { 'one.bin': content })
  let parts = 0
  server.fault = ({ range }) => (range !== undefined && ++parts === 6 ? { breakAfter: MB } : undefined)
  const folder = await fetchModel(URL_OF_A, options)
  assert.ok((await readFile(join(folder, 'one.bin'))).equals(content))
  // Seven parts; four are under way at once, and of those what was not whole is asked for again.
  assert.ok(ranges('one.bin').length >= 8 && ranges('one.bin').length <= 7 + 4, String(ranges('one.bin').length))
  const warned = told.filter(({ level }) => level === 40)
  assert.deepEqual(
    warned.map(({ msg, model, again_in_ms: again }) => [msg, model, again]),
    [['The download broke off. It is tried again', URL_OF_A, 1_000]]
  )
})

test('a runner that is started again goes on with what another left unfinished', async (t) => {
  const { server, options, ranges } = await openBucketWorld(t)
  putModel(server, 'a', { 'one.bin': randomContent(160 * MB) })
  let parts = 0
  server.fault = ({ range }) => (range !== undefined && ++parts > 7 ? { status: 403, code: 'AccessDenied' } : undefined)
  await assert.rejects(fetchModel(URL_OF_A, options), ModelError)
  const refused = ranges('one.bin').length - 7
  server.fault = () => undefined
  await fetchModel(URL_OF_A, options)
  const whole = new Set(ranges('one.bin'))
  assert.equal(whole.size, 10)
  // Of the seven that were answered, four at most had not been written when the first was refused.
  assert.ok(ranges('one.bin').length <= 10 + 4 + refused, `${ranges('one.bin').length} requests, ${refused} refused`)
})

test('what was damaged while it lay unfinished is fetched anew', async (t) => {
  const { server, options, cache } = await openBucketWorld(t)
  const content = randomContent(80 * MB)
  putModel(server, 'a', { 'one.bin': content })
  let parts = 0
  server.fault = ({ range }) => (range !== undefined && ++parts > 4 ? { status: 403, code: 'AccessDenied' } : undefined)
  await assert.rejects(fetchModel(URL_OF_A, options), ModelError)
  const [part = ''] = (await readdir(join(cache, 'parts'))).filter((name) => !name.endsWith('.done'))
  await writeFile(join(cache, 'parts', part), Buffer.alloc(80 * MB))
  await writeFile(join(cache, 'parts', `${part}.done`), '0\n1\n2\n')
  server.fault = () => undefined
  const folder = await fetchModel(URL_OF_A, options)
  assert.ok((await readFile(join(folder, 'one.bin'))).equals(content))
  assert.deepEqual(await readdir(join(cache, 'parts')), [])
})

test('a file that is replaced while it is fetched is fetched as it is then', async (t) => {
  const { server, options } = await openBucketWorld(t)
  const content = randomContent(40 * MB)
  putModel(server, 'a', { 'one.bin': content })
  server.objects.set('models/a/one.bin', randomContent(40 * MB))
  server.fault = ({ range }) => {
    if (range !== undefined) server.objects.set('models/a/one.bin', content)
    return undefined
  }
  const folder = await fetchModel(URL_OF_A, options)
  assert.ok((await readFile(join(folder, 'one.bin'))).equals(content))
})

test('another content than the manifest promises is refused and removed', async (t) => {
  const { server, options, cache } = await openBucketWorld(t)
  const [content, other] = [randomContent(MB), randomContent(MB)]
  putModel(server, 'a', { 'one.bin': content })
  server.objects.set('models/a/one.bin', other)
  await assert.rejects(fetchModel(URL_OF_A, options), {
    name: 'ModelError',
    message: `s3://models/a/one.bin has sha256 ${sha256(other)}, but the manifest says ${sha256(content)}: upload the file again.`
  })
  for (const folder of ['files', 'parts', 'models']) assert.deepEqual(await readdir(join(cache, folder)), [], folder)
})

test('two runners that fetch the same at the same time both get it whole', async (t) => {
  const { server, options, cache } = await openBucketWorld(t)
  const content = randomContent(130 * MB)
  putModel(server, 'a', { 'one.bin': content })
  const folders = await Promise.all([fetchModel(URL_OF_A, options), fetchModel(URL_OF_A, options), fetchModel(URL_OF_A, options)])
  assert.equal(new Set(folders).size, 1)
  assert.ok((await readFile(join(folders[0], 'one.bin'))).equals(content))
  assert.deepEqual(await readdir(join(cache, 'parts')), [])
  assert.equal((await readdir(join(cache, 'models'))).length, 1)
})

test('a bucket that is away is waited for; one that is away later costs nobody a start', async (t) => {
  const { server, options, told } = await openBucketWorld(t)
  putModel(server, 'a', { 'one.bin': randomContent(5) })
  let asked = 0
  // The client itself asks three times.
  server.fault = () => (++asked <= 3 ? { status: 503, code: 'SlowDown' } : undefined)
  const folder = await fetchModel(URL_OF_A, options)
  assert.match(told.find(({ level }) => level === 40)?.msg ?? '', /^s3:\/\/models cannot be reached now\. It is tried again$/)
  server.fault = () => ({ status: 503, code: 'SlowDown' })
  assert.equal(await fetchModel(URL_OF_A, options), folder)
  assert.match(told.at(-1)?.msg ?? '', /^the bucket cannot be reached, so the model is taken as it was fetched last$/)
})

const manifest = (files: object) => Buffer.from(JSON.stringify({ files }))
const HASH = '0'.repeat(64)

const refusals: [what: string, manifest: Buffer | undefined, sentence: RegExp][] = [
  ['no manifest', undefined, /^s3:\/\/models\/a is not a model folder: there is no manifest\.json in it\.$/],
  ['no JSON', Buffer.from('{'), /^s3:\/\/models\/a\/manifest\.json is not valid JSON: /],
  ['no files', Buffer.from('{}'), /^s3:\/\/models\/a\/manifest\.json: /],
  ['a file elsewhere', manifest({ a: { path: '../x', sha256: HASH } }), /^s3:\/\/models\/a\/manifest\.json: \/files\/a\/path /],
  [
    'a hash that is none',
    manifest({ a: { path: 'x', sha256: '../../x' } }),
    /^s3:\/\/models\/a\/manifest\.json: \/files\/a\/sha256 /
  ],
  [
    'a file that is not there',
    manifest({ a: { path: 'x', sha256: HASH } }),
    /^s3:\/\/models\/a\/x is missing, but the manifest lists it/
  ],
  [
    'a manifest without end',
    Buffer.alloc(2 * MB, ' '),
    /^s3:\/\/models\/a\/manifest\.json has 2097152 bytes, and at most 1048576 are read/
  ]
]
for (const [what, content, sentence] of refusals) {
  test(`${what} is refused in a sentence`, async (t) => {
    const { server, options } = await openBucketWorld(t)
    if (content) server.objects.set('models/a/manifest.json', content)
    await assert.rejects(fetchModel(URL_OF_A, options), { name: 'ModelError', message: sentence })
  })
}

test('no such bucket, and no access, are told with the address that MODELS has', async (t) => {
  const { server, options } = await openBucketWorld(t)
  await assert.rejects(fetchModel('s3://other/a', options), {
    name: 'ModelError',
    message: 'MODELS has s3://other/a, and s3://other: there is no such bucket.'
  })
  server.fault = () => ({ status: 403, code: 'AccessDenied' })
  await assert.rejects(fetchModel(URL_OF_A, options), {
    name: 'ModelError',
    message: /^MODELS has s3:\/\/models\/a, and .* access is denied/
  })
})

test('more than there is room for is refused before any of it is fetched', async (t) => {
  const { server, options, ranges } = await openBucketWorld(t)
  putModel(server, 'a', { 'one.bin': randomContent(5) })
  server.claims.set('models/a/one.bin', 9e14)
  await assert.rejects(fetchModel(URL_OF_A, options), {
    name: 'ConfigError',
    message:
      /^MODELS_CACHE_DIR=\S+ has room for [\d.]+ \w+, and s3:\/\/models\/a needs [\d.]+ TB: make room, or set it to a directory that/
  })
  assert.deepEqual(ranges('one.bin'), [])
})

test('a disk that fills up, or may not be written to, is a sentence with the setting', async (t) => {
  const full = () => Promise.reject(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }))
  await assert.rejects(guardDisk('/cache', full), {
    name: 'ConfigError',
    message: /^MODELS_CACHE_DIR=\/cache is full: make room there, or/
  })
  const { server, options, cache } = await openBucketWorld(t)
  putModel(server, 'a', { 'one.bin': randomContent(5) })
  // A file where a folder is needed stops even root.
  await writeFile(join(cache, 'file'), '')
  await assert.rejects(fetchModel(URL_OF_A, { ...options, cache: join(cache, 'file') }), (error: unknown) => {
    assert.ok(error instanceof ConfigError)
    return /^MODELS_CACHE_DIR=\S+\/file cannot be used \(.*\): set it to a directory that can be written to\.$/.test(
      error.message
    )
  })
})
