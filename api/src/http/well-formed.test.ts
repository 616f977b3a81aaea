import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pointersOf, problemOf } from '../testing/problem-of.ts'
import { sendRaw } from '../testing/send-raw.ts'
import { openTestApp, type TestApp } from '../testing/test-app.ts'

let context: TestApp
before(async () => {
  context = await openTestApp()
})
after(() => context.close())

const ask = (line: string, ...headers: string[]) =>
  sendRaw(context.app, `${[line, ...headers, 'connection: close'].join('\r\n')}\r\n\r\n`)

test('a request has one Host, unless it is of HTTP/1.0', async () => {
  for (const hosts of [[], ['Host: localhost', 'hOST: evil.example'], ['Host: localhost', 'Host: localhost']]) {
    const problem = problemOf(await ask('GET /healthz HTTP/1.1', ...hosts), 'invalid_request')
    assert.deepEqual(pointersOf(problem), ['/headers/host'])
  }
  assert.equal((await ask('GET /healthz HTTP/1.0')).statusCode, 200)
  problemOf(await ask('GET /healthz HTTP/1.0', 'Host: a', 'Host: b'), 'invalid_request')
  problemOf(await ask('GET /nothing HTTP/1.1', 'Host: a', 'Host: b'), 'invalid_request')
})

test('an expectation that nobody knows is refused in words, and the known one met', async () => {
  problemOf(await ask('GET /healthz HTTP/1.1', 'host: localhost', 'expect: 200-maybe'), 'expectation_failed')
  const known = await ask('GET /healthz HTTP/1.1', 'host: localhost', 'expect: 100-Continue')
  assert.match(known.body, /"status":"ok"/)
})

test('a transfer encoding that nobody knows is refused in words, by whatever method', async () => {
  for (const line of [
    'GET /healthz',
    'GET /generations',
    'POST /generate',
    'OPTIONS /generate',
    'HEAD /healthz',
    'GET /nothing'
  ]) {
    for (const encoding of ['gzip', 'chunked, gzip', 'x']) {
      const answer = await ask(`${line} HTTP/1.1`, 'host: localhost', `transfer-encoding: ${encoding}`)
      assert.equal(answer.statusCode, 400, `${line} ${encoding}`)
      if (!line.startsWith('HEAD')) assert.match(problemOf(answer, 'invalid_request').detail, /`chunked`|not a valid HTTP/)
    }
  }
})

test('a query whose bytes are not UTF-8 is refused, on whatever path', async () => {
  for (const query of ['label=na%EFve', 'label=%C0%AF', 'label=%ED%A0%80', 'label=100%', '%E9=1', 'a=%zz']) {
    for (const path of ['/generations', '/healthz', '/nothing', '/docs']) {
      const problem = problemOf(await ask(`GET ${path}?${query} HTTP/1.1`, 'host: localhost'), 'invalid_request')
      assert.match(problem.detail, /UTF-8/, query)
    }
  }
  assert.equal((await context.app.inject('/generations?label=na%C3%AFve+100%25')).statusCode, 200)
})

test('a URL with bytes that are not ASCII is refused, not read as another encoding', async () => {
  for (const url of ['/generations?label=na\xefve', '/generations?label=caf\xc3\xa9', '/caf\xe9']) {
    assert.match(problemOf(await ask(`GET ${url} HTTP/1.1`, 'host: localhost'), 'invalid_request').detail, /percent-encoded/)
  }
  for (const url of ['/%EF', '/generations/%C0%AF']) {
    assert.match(problemOf(await ask(`GET ${url} HTTP/1.1`, 'host: localhost'), 'invalid_request').detail, /UTF-8/)
  }
})
