import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultOfRedisUrl } from './redis-url.ts'

test('a URL of a Redis is taken, with a password that is percent-encoded and with one that need not be', () => {
  for (const text of [
    'redis://127.0.0.1:6379',
    'rediss://host',
    'redis://:p%40ss@host:6380/3?family=6',
    'redis://user:p@ss@host',
    'redis://user:%2F%3F%23%25@[::1]:6379/0'
  ])
    assert.equal(faultOfRedisUrl(text), undefined, text)
})

test('a password with what ends one in a URL is refused with the way to write it, and not repeated', () => {
  for (const sign of ['/', '?', '#'])
    for (const password of [`hunter${sign}2`, `${sign}hunter`, `12${sign}hunter`, `hunter${sign}@2`]) {
      const fault = faultOfRedisUrl(`redis://user:${password}@host:6379`)
      assert.match(fault ?? '', /if it is in the password, percent-encode it: "\/" is %2F/, password)
      assert.doesNotMatch(fault ?? '', /hunter/)
    }
  assert.match(faultOfRedisUrl('redis://user:hunter 2@host') ?? '', /Is it the password, percent-encode it/)
  assert.match(
    faultOfRedisUrl('redis://user:hunter%ZZ@host') ?? '',
    /^has a "%" that is not percent-encoding: write it as "%25"\.$/
  )
})

test('what is no URL of a Redis is refused', () => {
  for (const text of ['http://host', 'host:6379', 'redis:', 'redis://', 'redis://ho st', 'unix:///tmp/redis.sock'])
    assert.match(faultOfRedisUrl(text) ?? '', /^must look like redis:\/\/host:6379, /, text)
})
