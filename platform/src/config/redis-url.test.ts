import assert from 'node:assert/strict'
import { test } from 'node:test'
import { credentialsOfRedisUrl, faultOfRedisUrl, hostsOfRedisUrl, severalOf, withCredentials } from './redis-url.ts'

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

test('what stands for a database must be a number', () => {
  for (const text of ['redis://host/abc', 'rediss://u:p@host:1/1/2', 'redis://host/-1'])
    assert.match(faultOfRedisUrl(text) ?? '', /^has no number of a database after its host: write redis:\/\/host:6379\/0/, text)
  for (const text of ['redis://host/', 'redis://host/15', 'redis://host/3/']) assert.equal(faultOfRedisUrl(text), undefined, text)
})

test('what is no URL of a Redis is refused', () => {
  for (const text of ['http://host', 'host:6379', 'redis:', 'redis://', 'redis://ho st', 'unix:///tmp/redis.sock'])
    assert.match(faultOfRedisUrl(text) ?? '', /^must look like redis:\/\/host:6379, /, text)
})

test('sentinels are named with their group, and nodes of a cluster alone', () => {
  const sentinel = {
    kind: 'sentinel',
    isTls: false,
    username: undefined,
    password: undefined,
    sentinelPassword: undefined,
    db: 0
  }
  assert.deepEqual(severalOf('redis+sentinel://a,b:26380,[::1]:1/main'), {
    ...sentinel,
    hosts: [
      { host: 'a', port: 26379 },
      { host: 'b', port: 26380 },
      { host: '::1', port: 1 }
    ],
    group: 'main'
  })
  assert.deepEqual(severalOf('rediss+sentinel://me:p%40ss@a/main/3?sentinel_password=s%2Fs'), {
    ...sentinel,
    isTls: true,
    username: 'me',
    password: 'p@ss',
    sentinelPassword: 's/s',
    db: 3,
    hosts: [{ host: 'a', port: 26379 }],
    group: 'main'
  })
  assert.deepEqual(severalOf('redis+cluster://:pass@a:7000,b/'), {
    kind: 'cluster',
    isTls: false,
    username: undefined,
    password: 'pass',
    hosts: [
      { host: 'a', port: 7000 },
      { host: 'b', port: 6379 }
    ]
  })
  assert.equal(severalOf('redis://a:7000'), undefined)
})

test('what is no URL of sentinels, and none of a cluster, is refused with what one looks like', () => {
  for (const text of [
    'redis+sentinel://a:26379',
    'redis+sentinel://a,,b/main',
    'redis+sentinel://a:0/main',
    'redis+sentinel:///main'
  ])
    assert.match(faultOfRedisUrl(text) ?? '', /^must look like redis\+sentinel:\/\/host:26379,.*\/GROUP, with the name/, text)
  for (const text of ['redis+cluster://', 'redis+cluster://a:x', 'redis+cluster://a/1', 'redis+cluster://a b'])
    assert.match(faultOfRedisUrl(text) ?? '', /^must look like redis\+cluster:\/\/host:6379,/, text)
  assert.match(faultOfRedisUrl('redis+cluster://u:hunter/2@a') ?? '', /before its last "@"/)
  assert.match(faultOfRedisUrl('redis+magic://a') ?? '', /^must look like redis:\/\/host:6379, /)
})

test('credentials are read from and put into every kind of URL', () => {
  for (const url of ['redis://a:1/2?family=6', 'rediss://a', 'redis+sentinel://a:1,b/main/1', 'rediss+cluster://a,b:7']) {
    assert.deepEqual(credentialsOfRedisUrl(url), { username: undefined, password: undefined })
    const full = withCredentials(url, { username: 'm@e', password: 'p/:@' })
    assert.equal(faultOfRedisUrl(full), undefined, full)
    assert.deepEqual(credentialsOfRedisUrl(full), { username: 'm@e', password: 'p/:@' })
    assert.equal(hostsOfRedisUrl(full), hostsOfRedisUrl(url))
    assert.deepEqual(credentialsOfRedisUrl(withCredentials(full, { password: 'new' })), { username: 'm@e', password: 'new' })
  }
  assert.equal(withCredentials('redis://a', { password: 'p' }), 'redis://:p@a')
})
