import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { openRaw, sendRaw } from '../testing/send-raw.ts'
import { openTestApp, type TestApp } from '../testing/test-app.ts'

let context: TestApp
before(async () => {
  context = await openTestApp({ CORS_ORIGINS: 'https://app.example' })
})
after(() => context.close())

const assertCommon = (headers: Record<string, unknown>, what: string) => {
  assert.equal(headers['x-content-type-options'], 'nosniff', what)
  assert.equal(headers['referrer-policy'], 'no-referrer', what)
  assert.match(String(headers['x-request-id']), /^req_/, what)
}

test('every answer says that it is no script, and that its URL is told to nobody', async () => {
  const { id, urls } = await context.generate()
  const { headers: read } = await context.app.inject(`/generations/${id}`)
  await context.app.inject({ method: 'POST', url: `/generations/${id}/cancel` })
  const preflight = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
  const asked = [
    [200, { url: '/healthz' }],
    [200, { url: '/metrics' }],
    [200, { url: '/openapi.json' }],
    [200, { url: '/docs/' }],
    [302, { url: '/' }],
    [200, { method: 'HEAD', url: urls.events.replace(/^https?:\/\/[^/]+/, '') }],
    [204, { method: 'OPTIONS', url: '/generate', headers: preflight }],
    [400, { url: '/%zz' }],
    [400, { url: '/healthz?x=1' }],
    [403, { url: `/objects/generations/${id}/0.png?expires=1&signature=a` }],
    [404, { url: '/nothing' }],
    [404, { url: '/docs/absent' }],
    [404, { url: `/generations/${'x'.repeat(9000)}` }],
    [405, { method: 'PUT', url: '/generate' }],
    [413, { method: 'POST', url: '/generate', headers: { 'content-type': 'application/json' }, payload: 'x'.repeat(70_000) }],
    [415, { method: 'POST', url: '/generate', payload: 'x' }],
    [204, { method: 'DELETE', url: `/generations/${id}` }],
    [410, { url: `/generations/${id}` }]
  ] as const
  for (const [status, request] of asked) {
    const { statusCode, headers, body } = await context.app.inject(request)
    assert.equal(statusCode, status, body)
    assertCommon(headers, request.url)
  }
  const other = await context.generate()
  const { headers } = await context.app.inject(`/generations/${other.id}`)
  const known = await context.app.inject({
    url: `/generations/${other.id}`,
    headers: { 'if-none-match': String(headers['etag']) }
  })
  assert.equal(known.statusCode, 304)
  for (const answer of [known.headers, read]) assertCommon(answer, '304 and 200')
})

test('so do those outside any route: streams, and what Node refuses', async () => {
  const { id } = await context.generate()
  const { socket, closed } = await openRaw(context.app)
  socket.write(`GET /generations/${id}/events HTTP/1.1\r\nhost: localhost\r\n\r\n`)
  await once(socket, 'data')
  socket.destroy()
  const head = (await closed).split('\r\n\r\n')[0] ?? ''
  const lines = head.split('\r\n').map((line): [string, string] => [line.split(': ')[0] ?? '', line.split(': ')[1] ?? ''])
  assertCommon(Object.fromEntries(lines), 'a stream')
  assert.match(head, /\r\ncache-control: no-store, no-transform\r\n/)
  for (const bytes of [
    'NONSENSE\r\n\r\n',
    `GET / HTTP/1.1\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
    'GET / HTTP/1.1\r\nhost: a\r\nexpect: x\r\nconnection: close\r\n\r\n'
  ])
    assertCommon((await sendRaw(context.app, bytes)).headers, bytes.slice(0, 20))
})
