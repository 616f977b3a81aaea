import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { getObject } from '@nextscale/openapi'
import { openDiskStore } from '@nextscale/platform/object-store'
import { assertKept } from '../../testing/contract.ts'
import { openTestApp, type TestApp } from '../../testing/test-app.ts'

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
  openDiskStore({ kind: 'disk', directory: context.directory, linkSecret: 's'.repeat(40), linkTtlSeconds: 60 }, 'links', now)

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

/** Puts something other than a file in the place of a picture; returns a link to it. */
const ENTRIES: Record<string, (path: string) => void | Promise<void>> = {
  'a named pipe': (path) => void execFileSync('mkfifo', [path]),
  'a folder': (path) => mkdir(path),
  'a link': (path) => symlink(join(context.directory, KEY), path),
  'a broken link': (path) => symlink('nowhere', path),
  'a link to itself': (path) => symlink('15.png', path),
  'a socket': async (path) => {
    const server = createServer().listen(path)
    await once(server, 'listening')
    sockets.push(server)
  }
}
const sockets: Server[] = []
after(() => sockets.forEach((server) => server.close()))

test('what is there and is no file is a 404 like what is not there, without headers of a picture, and holds up nothing', async () => {
  const folder = join(context.directory, 'generations', ID)
  const absent = `generations/${ID}/10.png`
  await fetch(await linkTo(absent))
  for (const [at, [what, put]] of Object.entries(ENTRIES).entries()) {
    const name = `${at + 11}.png`
    await put(join(folder, name))
    const link = await linkTo(`generations/${ID}/${name}`)
    // More than there are threads to wait in.
    const responses = await Promise.all(Array.from({ length: 8 }, () => fetch(link)))
    for (const { statusCode, headers } of responses) {
      assert.deepEqual([statusCode, headers['content-type']], [404, 'application/problem+json; charset=utf-8'], what)
      assert.deepEqual(
        [headers['etag'], headers['content-disposition'], headers['cache-control']],
        [undefined, undefined, 'no-store']
      )
    }
    assert.equal((await fetch(url)).body, 'a picture')
  }
  assert.ok(context.logLines.every((line) => !/"level":(?:50|60)/.test(line)))
})

test('a folder on the way that is none is a 404 too, and a generation’s folder with anything in it can be removed', async () => {
  const id = 'gen_daaaaaaaaaaaaaaaaaaaaaaaaa'
  const folder = join(context.directory, 'generations', id)
  execFileSync('mkfifo', [folder])
  assert.equal((await fetch(await linkTo(`generations/${id}/0.png`))).statusCode, 404)
  await rm(folder)
  await mkdir(join(folder, '0.png'), { recursive: true })
  execFileSync('mkfifo', [join(folder, '1.png')])
  await (await storeAt()).remove(`generations/${id}/`)
  await assert.rejects(stat(folder))
})

test('nothing outside the folder can be reached', async () => {
  for (const key of ['generations/../../etc/passwd', `generations/${ID}/..%2f..%2f.link-secret`]) {
    assert.equal((await context.app.inject(`/objects/${key}?expires=9999999999&signature=a`)).statusCode, 404)
  }
})

test('a link has one spelling of its time', async () => {
  const [, expires = ''] = /expires=(\d+)/.exec(url) ?? []
  for (const spelt of [
    `%2B${expires}`,
    `${expires}.0`,
    `${expires}e0`,
    `0${expires}`,
    `%20${expires}`,
    `${expires}%0a`,
    '0x5f5e0ff'
  ])
    assert.equal((await fetch(url.replace(expires, spelt))).statusCode, 400, spelt)
  assert.equal((await fetch(url.replace(expires, 'Infinity'))).statusCode, 400)
})
