import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Generation } from '@nextscale/openapi'
import { openDiskStore } from '@nextscale/platform/object-store'
import { bodyOf, openTestApp, type TestApp } from '../testing/test-app.ts'

const APP = 'https://app.example'
const OTHER = 'https://evil.example'
const SECRET = 'a secret that is long enough for it'
const ID = 'gen_aaaaaaaaaaaaaaaaaaaaaaaaaa'
const EXPOSED = [
  'Location',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'Idempotency-Replayed',
  'X-Request-Id',
  'Preference-Applied',
  'ETag'
]

interface Asked {
  method?: 'GET' | 'HEAD' | 'POST' | 'DELETE' | 'OPTIONS'
  url: string
  origin?: string | undefined
  headers?: Record<string, string>
  payload?: string
}

const ask = ({ app }: TestApp, { method = 'GET', url, origin, headers = {}, payload }: Asked) =>
  app.inject({
    method,
    url: url.replace(/^https?:\/\/[^/]+/, ''),
    headers: { ...(origin !== undefined && { origin }), ...headers },
    ...(payload !== undefined && { payload })
  })

const preflight = (context: TestApp, url: string, origin: string, method = 'POST') =>
  ask(context, {
    method: 'OPTIONS',
    url,
    origin,
    headers: { 'access-control-request-method': method, 'access-control-request-headers': 'authorization,content-type' }
  })

const listOf = (header: unknown) => String(header).split(', ')

describe('without CORS_ORIGINS', () => {
  let context: TestApp
  let picture: string
  before(async () => {
    context = await openTestApp({ LINK_SECRET: SECRET })
    const key = `generations/${ID}/0.png`
    await mkdir(join(context.directory, 'generations', ID), { recursive: true })
    await writeFile(join(context.directory, key), 'a picture')
    const store = await openDiskStore(
      { kind: 'disk', directory: context.directory, linkSecret: SECRET, linkTtlSeconds: 60 },
      'links'
    )
    picture = (await store.link(key, { base: '', notAfter: Number.MAX_SAFE_INTEGER })).url
  })
  after(() => context.close())

  test('links to pictures and events, and the contract, may be read by any page, whatever the answer', async () => {
    const generation = await context.generate()
    const etag = String((await ask(context, { url: picture })).headers['etag'])
    const asked: [Asked, number][] = [
      [{ url: picture }, 200],
      [{ method: 'HEAD', url: picture }, 200],
      [{ url: picture, headers: { 'if-none-match': etag } }, 304],
      [{ url: picture.replace('signature=', 'signature=A') }, 403],
      [{ url: picture.replace('0.png', '7.png') }, 403],
      [{ url: picture.replace('0.png', 'x.exe') }, 404],
      [{ url: `${picture}&x=1` }, 400],
      [{ method: 'HEAD', url: generation.urls.events }, 200],
      [{ url: `${generation.urls.events}x` }, 401],
      [{ url: `${generation.urls.events}&x=1` }, 400],
      [{ url: '/openapi.json' }, 200],
      [{ method: 'HEAD', url: '/openapi.json' }, 200]
    ]
    for (const [request, status] of asked) {
      for (const origin of [OTHER, 'null', undefined]) {
        const { statusCode, headers } = await ask(context, { ...request, origin })
        assert.equal(statusCode, status, request.url)
        assert.equal(headers['access-control-allow-origin'], '*', `${request.url} ${status}`)
        assert.doesNotMatch(String(headers['vary']), /origin/i)
      }
    }
  })

  test('a page may ask for these with headers of its own, and for reading alone', async () => {
    const { urls } = await context.generate()
    for (const url of [picture, urls.events, '/openapi.json']) {
      const { statusCode, headers } = await preflight(context, url, OTHER, 'GET')
      assert.equal(statusCode, 204)
      assert.equal(headers['access-control-allow-origin'], '*')
      assert.equal(headers['access-control-allow-methods'], 'GET, HEAD')
      assert.equal(headers['access-control-allow-headers'], 'authorization,content-type')
    }
  })

  test('nothing else is open, nor are events without a token', async () => {
    const { urls } = await context.generate()
    for (const url of [
      '/generations',
      urls.self,
      '/status',
      '/webhooks/secret',
      urls.events.split('?')[0] ?? '',
      '/docs/',
      '/nothing'
    ]) {
      const { headers } = await ask(context, { method: 'HEAD', url, origin: OTHER })
      assert.equal(headers['access-control-allow-origin'], undefined, url)
      const asked = await preflight(context, url, OTHER)
      assert.ok(asked.statusCode === 405 || asked.statusCode === 404, url)
      assert.equal(asked.headers['access-control-allow-origin'], undefined, url)
    }
  })
})

describe('with origins in CORS_ORIGINS', () => {
  let context: TestApp
  let key: string
  before(async () => {
    context = await openTestApp({ CORS_ORIGINS: `${APP}, http://localhost:3000` })
    key = (await context.createKey({ limits: { requests_per_minute: 3, in_flight: null, streams: null } })).token
  })
  after(() => context.close())

  test('a page of one of them is told what it may do, and one of any other nothing', async () => {
    for (const url of ['/generate', '/v1/generations', '/webhooks/secret/rotate', '/nothing']) {
      const { statusCode, headers } = await preflight(context, url, APP)
      assert.deepEqual([statusCode, headers['access-control-allow-origin']], [204, APP], url)
      assert.equal(headers['vary'], 'Origin')
      assert.deepEqual(listOf(headers['access-control-allow-methods']), ['GET', 'HEAD', 'POST', 'DELETE'])
      assert.equal(headers['access-control-allow-headers'], 'authorization,content-type')
      assert.match(String(headers['access-control-max-age']), /^\d+$/)
    }
    for (const origin of [OTHER, 'http://app.example', 'https://app.example:8443', 'https://app.example.evil.example', 'null']) {
      const { statusCode, headers } = await preflight(context, '/generate', origin)
      assert.deepEqual([statusCode, headers['access-control-allow-origin'], headers['vary']], [405, undefined, 'Origin'], origin)
    }
    assert.equal((await ask(context, { method: 'OPTIONS', url: '/generate', origin: APP })).statusCode, 405)
  })

  test('its page may read every answer with the headers that matter, refusals and streams included', async () => {
    const authorization = `Bearer ${key}`
    const json = { 'content-type': 'application/json' }
    const made = await ask(context, {
      method: 'POST',
      url: '/generate',
      origin: APP,
      headers: { ...json, authorization },
      payload: '{}'
    })
    const { urls } = bodyOf<Generation>(made)
    const stream = `${urls.events.split('?')[0]}`
    const answers = [
      [made, 202],
      [await ask(context, { url: '/generations', origin: APP }), 401],
      [await ask(context, { url: '/nothing', origin: APP }), 404],
      [await ask(context, { url: '/generations?limit=%EF', origin: APP }), 400],
      [await ask(context, { method: 'HEAD', url: stream, origin: APP, headers: { authorization } }), 200],
      [await ask(context, { url: '/generations?foo=1', origin: APP, headers: { authorization } }), 400],
      [await ask(context, { url: '/generations', origin: APP, headers: { authorization } }), 429]
    ] as const
    for (const [{ statusCode, headers, body }, status] of answers) {
      assert.equal(statusCode, status, body)
      assert.equal(headers['access-control-allow-origin'], APP, String(status))
      const exposed = listOf(headers['access-control-expose-headers'])
      assert.deepEqual(
        EXPOSED.filter((name) => !exposed.includes(name)),
        []
      )
      assert.equal(headers['access-control-allow-credentials'], undefined)
      assert.equal(headers['vary'], 'Origin')
    }
    await context.server.stop()
    const away = await ask(context, { url: '/readyz', origin: APP })
    assert.deepEqual([away.statusCode, away.headers['access-control-allow-origin']], [503, APP])
  })
})

test('with CORS_ORIGINS=* every page may use a key, and none goes without', async () => {
  const context = await openTestApp({ CORS_ORIGINS: '*', UNAUTHENTICATED: 'allow' })
  try {
    const { token } = await context.createKey()
    const headers = { 'content-type': 'application/json' }
    const generate = (extra: Record<string, string>, origin?: string) =>
      ask(context, { method: 'POST', url: '/generate', origin, headers: { ...headers, ...extra }, payload: '{}' })
    assert.equal((await preflight(context, '/generate', OTHER)).headers['access-control-allow-origin'], '*')
    const keyed = await generate({ authorization: `Bearer ${token}` }, OTHER)
    assert.deepEqual([keyed.statusCode, keyed.headers['access-control-allow-origin']], [202, '*'])
    for (const refused of [await generate({}, OTHER), await ask(context, { url: '/generations', origin: OTHER })]) {
      assert.deepEqual([refused.statusCode, refused.json().code], [403, 'origin_not_allowed'])
      assert.equal(refused.headers['access-control-allow-origin'], '*')
    }
    assert.equal((await generate({})).statusCode, 202)
    assert.equal((await ask(context, { url: '/generations' })).statusCode, 200)
  } finally {
    await context.close()
  }
})
