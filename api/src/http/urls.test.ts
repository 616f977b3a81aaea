import assert from 'node:assert/strict'
import { test } from 'node:test'
import { baseUrl } from './urls.ts'

const settings = { publicUrl: undefined, host: '127.0.0.1', port: 8080 }

test('URLs lead to the address the client used', () => {
  assert.equal(baseUrl(settings, { protocol: 'http', host: 'gpu-box:8080' }), 'http://gpu-box:8080')
  assert.equal(baseUrl(settings, { protocol: 'https', host: '[::1]:8080' }), 'https://[::1]:8080')
})

test('a protocol that is none of ours does not get into URLs', () => {
  assert.equal(baseUrl(settings, { protocol: 'javascript', host: 'a' }), 'http://a')
})

test('PUBLIC_URL has the last word', () => {
  assert.equal(
    baseUrl({ ...settings, publicUrl: 'https://api.example.org/x' }, { protocol: 'http', host: 'a' }),
    'https://api.example.org/x'
  )
})

test('a Host header that is no host does not get into URLs', () => {
  for (const host of ['', 'a/b', 'evil" x', 'user@host']) {
    assert.equal(baseUrl(settings, { protocol: 'http', host }), 'http://127.0.0.1:8080')
  }
})
