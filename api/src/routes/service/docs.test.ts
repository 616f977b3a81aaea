import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { fastify } from 'fastify'
import { problems } from '../../http/problems.ts'
import { toStaticContent } from '../../http/static-content.ts'
import { openTestApp, type TestApp } from '../../testing/test-app.ts'
import { docs } from './docs.ts'
import { readDocument } from './document.ts'

let context: TestApp
before(async () => {
  context = await openTestApp()
})
after(() => context.close())

test('the contract is served as committed, with this server as the one to call', async () => {
  const response = await context.app.inject({ url: '/openapi.json', headers: { host: 'pictures.example:9000' } })
  const committed = JSON.parse(await readDocument())
  assert.deepEqual(committed.servers, [{ url: '/v1' }])
  assert.deepEqual(response.json(), { ...committed, servers: [{ url: 'http://pictures.example:9000/v1' }] })
  assert.match(String(response.headers['content-type']), /^application\/json/)
})

const scriptUrl = async () => {
  const page = await context.app.inject('/docs/')
  const [, script = ''] = /<script src="([^"]+)"/.exec(page.body) ?? []
  const { pathname, search } = new URL(script, 'http://a/docs/')
  return pathname + search
}

const UNPACK = { br: brotliDecompressSync, gzip: gunzipSync } as const

test('the page and all it loads are compressed as the client takes it, and not sent to who has them', async () => {
  for (const url of ['/openapi.json', '/docs/', await scriptUrl(), '/docs/openapi.json', '/favicon.ico']) {
    const plain = await context.app.inject(url)
    assert.deepEqual(
      [plain.statusCode, plain.headers['content-encoding'], plain.headers['vary']],
      [200, undefined, 'Accept-Encoding']
    )
    const etag = String(plain.headers['etag'])
    for (const [accepted, encoding] of [
      ['gzip, deflate, br, zstd', 'br'],
      ['gzip', 'gzip'],
      ['br;q=0.5, gzip', 'gzip']
    ] as const) {
      const packed = await context.app.inject({ url, headers: { 'accept-encoding': accepted } })
      assert.equal(packed.headers['content-encoding'], encoding, `${url} ${accepted}`)
      assert.deepEqual(UNPACK[encoding](packed.rawPayload), plain.rawPayload)
      assert.equal(packed.headers['etag'], etag)
      if (plain.rawPayload.length > 10_000) assert.ok(packed.rawPayload.length < plain.rawPayload.length / 2)
    }
    for (const accepted of ['identity', 'br;q=0', 'zstd', ''])
      assert.equal(
        (await context.app.inject({ url, headers: { 'accept-encoding': accepted } })).headers['content-encoding'],
        undefined
      )
    const known = await context.app.inject({ url, headers: { 'if-none-match': etag } })
    assert.deepEqual([known.statusCode, known.body, known.headers['etag']], [304, '', etag])
    const other = await context.app.inject({ url, headers: { 'if-none-match': 'W/"another"' } })
    assert.equal(other.statusCode, 200)
  }
})

test('the script is kept for good under the address of its version, and asked for anew under any other', async () => {
  const cachingOf = async (url: string) => (await context.app.inject(url)).headers['cache-control']
  assert.equal(await cachingOf(await scriptUrl()), 'public, max-age=31536000, immutable')
  for (const url of ['/docs/js/scalar.js', '/docs/js/scalar.js?v=older', '/docs/', '/docs/openapi.json', '/openapi.json'])
    assert.equal(await cachingOf(url), 'no-cache')
})

test('there is an icon, which the page names', async () => {
  const icon = await context.app.inject('/favicon.ico')
  assert.deepEqual([icon.statusCode, icon.headers['content-type']], [200, 'image/svg+xml'])
  assert.match((await context.app.inject('/docs/')).body, /<link rel="icon" href="\.\.\/favicon\.ico" type="image\/svg\+xml">/)
})

test('the first request that is tried out makes a picture, of a class that the shipped model has', async () => {
  const { paths } = JSON.parse((await context.app.inject('/docs/openapi.json')).body)
  const { parameters, requestBody } = paths['/generate'].post
  const [first] = Object.entries<{ value: object }>(requestBody.content['application/json'].examples)
  assert.deepEqual([first?.[0], first?.[1].value], ['class', { class_name: 'fox', seed: 7 }])
  assert.equal(parameters.find((parameter: { name: string }) => parameter.name === 'Accept').example, 'image/png')
  const committed = JSON.parse(await readDocument())
  assert.ok(!JSON.stringify(committed).includes('"Accept"'))
})

test('the start page leads to the reference, by a path that stays behind a prefix', async () => {
  for (const path of ['/', '/docs']) {
    const { statusCode, headers } = await context.app.inject(path)
    assert.equal(statusCode, 302)
    assert.equal(new URL(String(headers['location']), `https://a/prefix${path}`).href, 'https://a/prefix/docs/')
  }
})

test('PUBLIC_URL is where the reference is, and where it calls', async () => {
  const publicUrl = 'https://pictures.example/ai/images'
  const behind = await openTestApp({ PUBLIC_URL: publicUrl })
  try {
    for (const path of ['/', '/docs']) assert.equal((await behind.app.inject(path)).headers['location'], `${publicUrl}/docs/`)
    for (const path of ['/openapi.json', '/docs/openapi.json'])
      assert.deepEqual((await behind.app.inject(path)).json().servers, [{ url: `${publicUrl}/v1` }])
  } finally {
    await behind.close()
  }
})

test('the reference refers to no other host, and browsers are told to ask none', async () => {
  const response = await context.app.inject('/docs/')
  assert.equal(response.statusCode, 200)
  assert.doesNotMatch(response.body, /https?:\/\//)
  const policy = String(response.headers['content-security-policy'])
  assert.match(policy, /default-src 'none'/)
  assert.doesNotMatch(policy, /https?:|\*/)
})

test('the reference shows samples of the contract and tries it with a key against this server', async () => {
  const document = JSON.parse((await context.app.inject('/docs/openapi.json')).body)
  const languages = document.paths['/generate'].post['x-codeSamples'].map(({ lang }: { lang: string }) => lang)
  assert.deepEqual(languages, ['curl', 'TypeScript', 'Python'])
  assert.deepEqual(document.servers, [{ url: 'http://localhost:80/v1' }])
  assert.equal(document.components.securitySchemes.apiKey.scheme, 'bearer')
  const page = await context.app.inject('/docs/')
  assert.match(page.body, /"preferredSecurityScheme":\s*"apiKey"/)
  assert.match(page.body, /"hiddenClients":\s*true/)
})

test('samples of the reference call the server by the address it was asked at', async () => {
  const { body } = await context.app.inject({ url: '/docs/openapi.json', headers: { host: 'pictures.example:9000' } })
  assert.match(body, /curl -X POST 'http:\/\/pictures\.example:9000\/v1\/generate'/)
  assert.doesNotMatch(body, /localhost:8080/)
})

test('what the reference loads is served here', async () => {
  const response = await context.app.inject(await scriptUrl())
  assert.equal(response.statusCode, 200)
  assert.match(String(response.headers['content-type']), /javascript/)
  const document = await context.app.inject('/docs/openapi.json')
  assert.equal(document.json().info.title, 'Nextscale')
  assert.equal((await context.app.inject('/docs/absent')).statusCode, 404)
})

test('a reference that could not be opened is opened anew, and does not keep the server from closing', async () => {
  const app = fastify()
  const page = await toStaticContent('text/html', 'reference')
  const outcomes = [false, true]
  const urls = { publicUrl: undefined, host: '127.0.0.1', port: 0 }
  const document = await readDocument()
  const open = async () => {
    if (outcomes.shift()) return { page, script: page }
    throw new Error('The disk cannot be read')
  }
  await app.register(problems, { bodyLimitBytes: 1 })
  await app.register(docs, { document, urls, open })
  assert.equal((await app.inject('/docs/')).statusCode, 500)
  assert.equal((await app.inject('/docs/')).body, 'reference')
  await app.close()

  const broken = fastify()
  await broken.register(problems, { bodyLimitBytes: 1 })
  await broken.register(docs, { document, urls, open })
  assert.equal((await broken.inject('/docs/')).statusCode, 500)
  await broken.close()
})
