import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { getObject } from '@nextscale/openapi'
import { assertKept } from '../testing/contract.ts'
import { openTestApp, type TestApp } from '../testing/test-app.ts'
import { openDiskStore } from './disk.ts'
import { loadLinkSecret } from './link-secret.ts'

const ID = 'gen_aaaaaaaaaaaaaaaaaaaaaaaaaa'
const KEY = `generations/${ID}/0.png`
const FOREVER = Number.MAX_SAFE_INTEGER

let context: TestApp
let url: string
before(async () => {
  context = await openTestApp({ LINK_SECRET: 's'.repeat(40) })
  await mkdir(join(context.directory, 'generations', ID), { recursive: true })
  await writeFile(join(context.directory, KEY), 'a picture')
  url = await linkTo(KEY)
})
after(() => context.close())

const storeAt = (now = Date.now) =>
  openDiskStore({ kind: 'disk', directory: context.directory, linkSecret: 's'.repeat(40), linkTtlSeconds: 60 }, now)

const linkTo = async (key: string, now = Date.now) => (await (await storeAt(now)).link(key, { base: '', notAfter: FOREVER })).url

const fetch = async (path: string, headers: Record<string, string> = {}) => {
  const response = await context.app.inject({ url: path, headers })
  if (response.statusCode !== 200 && response.statusCode !== 304) assertKept(getObject, response)
  return response
}

test('a link brings the picture, with what a browser and a cache need', async () => {
  const response = await fetch(url)
  assert.equal(response.body, 'a picture')
  assert.equal(response.headers['content-type'], 'image/png')
  assert.equal(response.headers['content-length'], '9')
  assert.equal(response.headers['x-content-type-options'], 'nosniff')
  assert.equal(response.headers['content-disposition'], `inline; filename="${ID}-0.png"`)
  assert.match(String(response.headers['cache-control']), /^private, max-age=(5\d|60), immutable$/)
})

test('tokens are served as bytes that no browser takes for anything else', async () => {
  const key = `generations/${ID}/0.tokens`
  await writeFile(join(context.directory, key), Uint8Array.of(0xbc, 0x3a, 0x12))
  const response = await context.app.inject(await linkTo(key))
  assert.deepEqual([...response.rawPayload], [0xbc, 0x3a, 0x12])
  assert.equal(response.headers['content-type'], 'application/octet-stream')
  assert.equal(response.headers['x-content-type-options'], 'nosniff')
  assert.equal(response.headers['content-disposition'], `inline; filename="${ID}-0.tokens"`)
})

test('a picture that is known already is not sent again, and HEAD sends none', async () => {
  const { headers } = await fetch(url)
  assert.equal((await fetch(url, { 'if-none-match': String(headers['etag']) })).statusCode, 304)
  const head = await context.app.inject({ method: 'HEAD', url })
  assert.deepEqual([head.statusCode, head.body, head.headers['content-length']], [200, '', '9'])
})

test('a link that was changed in any part is refused', async () => {
  const other = url.replace(ID, 'gen_baaaaaaaaaaaaaaaaaaaaaaaaa')
  const later = url.replace(/expires=(\d+)/, (_, seconds) => `expires=${Number(seconds) + 1}`)
  const flipped = url.replace(/signature=./, (text) => (text.endsWith('A') ? 'signature=B' : 'signature=A'))
  for (const changed of [other, later, flipped, `${url}A`, url.replace(/signature=.*/, 'signature=é')]) {
    assert.equal((await fetch(changed)).statusCode, 403)
  }
})

test('a link works until the time it states and not after', async () => {
  const store = await storeAt(() => 1_000_500)
  const { expiresAt } = await store.link(KEY, { base: '', notAfter: FOREVER })
  assert.equal(expiresAt, 1_060_000)
  assert.equal((await store.link(KEY, { base: '', notAfter: 1_020_999 })).expiresAt, 1_020_000)
  assert.equal((await fetch(await linkTo(KEY, () => Date.now() - 61_000))).statusCode, 403)
})

test('what is not there is a 404, and nothing outside the folder can be reached', async () => {
  assert.equal((await fetch(await linkTo(`generations/${ID}/1.png`))).statusCode, 404)
  await symlink('/etc/hostname', join(context.directory, 'generations', ID, '2.png'))
  assert.notEqual((await fetch(await linkTo(`generations/${ID}/2.png`))).statusCode, 200)
  for (const key of ['generations/../../etc/passwd', `generations/${ID}/..%2f..%2f.link-secret`]) {
    assert.equal((await context.app.inject(`/objects/${key}?expires=9999999999&signature=a`)).statusCode, 404)
  }
})

test('removing takes a generation’s folder, is idempotent, and takes nothing else', async () => {
  const id = 'gen_caaaaaaaaaaaaaaaaaaaaaaaaa'
  await mkdir(join(context.directory, 'generations', id), { recursive: true })
  await writeFile(join(context.directory, 'generations', id, '0.png'), 'x')
  const store = await storeAt()
  await store.remove(`generations/${id}/`)
  await store.remove(`generations/${id}/`)
  await assert.rejects(stat(join(context.directory, 'generations', id)))
  assert.equal(await readFile(join(context.directory, KEY), 'utf8'), 'a picture')
  for (const prefix of ['', '/', 'generations/', '../', `generations/${id}`])
    await assert.rejects(store.remove(prefix), TypeError)
})

test('processes that start at once agree on one secret, readable by its owner only', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nextscale-secret-'))
  const secrets = await Promise.all(Array.from({ length: 10 }, () => loadLinkSecret(join(directory, 'objects'))))
  assert.equal(new Set(secrets).size, 1)
  assert.match(secrets[0] ?? '', /^[0-9a-f]{64}$/)
  assert.equal((await stat(join(directory, 'objects', '.link-secret'))).mode & 0o777, 0o600)
  await rm(directory, { recursive: true })
})
