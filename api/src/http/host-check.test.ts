import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listModels, type Problem } from '@nextscale/openapi'
import { assertKept } from '../testing/contract.ts'
import { bodyOf, openTestApp, type TestApp } from '../testing/test-app.ts'

const statusesOf = async ({ app }: TestApp, hosts: readonly string[]) =>
  Promise.all(hosts.map(async (host) => (await app.inject({ url: '/models', headers: { host } })).statusCode))

const LOOPBACK = ['127.0.0.1', '127.8.9.10:8080', 'localhost', 'LocalHost:1', '[::1]', '[::1]:8080']
const FOREIGN = [
  'evil.example',
  'evil.example:8080',
  '127.0.0.1.evil.example',
  'localhost.evil.example',
  '10.0.0.1',
  '::1',
  'a b'
]

test('without API keys, requests for another host than this machine are refused by every operation that has a scope', async () => {
  const context = await openTestApp()
  try {
    assert.deepEqual(new Set(await statusesOf(context, LOOPBACK)), new Set([200]))
    assert.deepEqual(new Set(await statusesOf(context, FOREIGN)), new Set([403]))
    const headers = { host: 'evil.example:8080' }
    const refused = await context.app.inject({ url: '/models', headers })
    assertKept(listModels, refused)
    const { code, detail, errors } = bodyOf<Problem>(refused)
    assert.deepEqual([code, errors[0]?.pointer], ['host_not_allowed', '/headers/host'])
    assert.match(detail, /PUBLIC_URL.*UNAUTHENTICATED=allow/)
    for (const url of ['/v1/generations', '/models/x', '/generate']) {
      const method = url === '/generate' ? 'POST' : 'GET'
      assert.equal((await context.app.inject({ method, url, headers })).statusCode, 403, url)
    }
  } finally {
    await context.close()
  }
})

test('the host of PUBLIC_URL is taken as well, with any port', async () => {
  const context = await openTestApp({ PUBLIC_URL: 'https://Pictures.example.org:8443/x' })
  try {
    const hosts = ['pictures.example.org:8443', 'Pictures.example.org', 'localhost', 'evil.example']
    assert.deepEqual(await statusesOf(context, hosts), [200, 200, 200, 403])
  } finally {
    await context.close()
  }
})

test('what anyone may call, and requests with a key, are answered under any host', async () => {
  const context = await openTestApp()
  try {
    const host = 'pictures.example'
    for (const url of ['/healthz', '/openapi.json'])
      assert.equal((await context.app.inject({ url, headers: { host } })).statusCode, 200, url)
    const { token } = await context.createKey()
    const headers = { host, authorization: `Bearer ${token}` }
    assert.equal((await context.app.inject({ url: '/models', headers })).statusCode, 200)
  } finally {
    await context.close()
  }
})

test('with UNAUTHENTICATED=allow every host is taken', async () => {
  const context = await openTestApp({ UNAUTHENTICATED: 'allow' })
  try {
    assert.deepEqual(new Set(await statusesOf(context, [...LOOPBACK, ...FOREIGN])), new Set([200]))
  } finally {
    await context.close()
  }
})
