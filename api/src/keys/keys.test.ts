import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loggedUrl } from '@nextscale/platform/observe'
import { openTestApp } from '../testing/test-app.ts'
import { createKeyFinder } from './find.ts'
import { listKeys } from './list.ts'
import { formatToken, newToken, parseToken } from './token.ts'
import { verify } from './verify.ts'

test('tokens can be told by their look, and no two are alike', () => {
  const tokens = Array.from({ length: 200 }, newToken)
  for (const token of tokens) {
    assert.match(formatToken(token), /^ns_[a-z0-9]{12}_[A-Za-z0-9]{43}$/)
    assert.deepEqual(parseToken(formatToken(token)), token)
  }
  assert.equal(new Set(tokens.map(({ secret }) => secret)).size, 200)
  assert.equal(new Set(tokens.map(({ id }) => id)).size, 200)
  // Every character of the alphabet is drawn, digits and the last letters too.
  assert.equal(
    new Set(
      tokens
        .map(({ secret }) => secret)
        .join('')
        .split('')
    ).size,
    62
  )
})

test('nothing in Redis holds the secret, and what is there still proves it', async () => {
  const context = await openTestApp()
  try {
    const { token } = await context.createKey({ scopes: ['read'] })
    const { id, secret } = parseToken(token) ?? assert.fail()
    const stored = (await context.redis.hget(context.keys.apiKeys, id)) ?? assert.fail()
    assert.ok(!stored.includes(secret))
    assert.deepEqual(await context.redis.hkeys(context.keys.apiKeys), [id])
    const [record] = await listKeys(context)
    assert.equal(record?.secret_end, secret.slice(-4))
    assert.equal(verify(record, secret, Date.now()).kind, 'valid')
    assert.equal(verify(record, secret.replace(/.$/, '-'), Date.now()).kind, 'invalid')
    assert.equal(verify(undefined, secret, Date.now()).kind, 'invalid')
  } finally {
    await context.close()
  }
})

test('many requests with one key cost one look at Redis', async () => {
  const context = await openTestApp()
  try {
    const { record } = await context.createKey()
    await context.redis.config('RESETSTAT')
    const finder = createKeyFinder({ ...context, store: { mark: async () => undefined, isMarked: async () => false } })
    await Promise.all(Array.from({ length: 100 }, async () => finder.find(record.id)))
    await finder.find(record.id)
    const [, calls] = /cmdstat_hget:calls=(\d+)/.exec(await context.redis.info('commandstats')) ?? []
    assert.equal(calls, '1')
  } finally {
    await context.close()
  }
})

test('a record that this release cannot read opens nothing', async () => {
  const context = await openTestApp({ HOST: '0.0.0.0' })
  try {
    const { record, token } = await context.createKey()
    for (const text of ['{', '{}', JSON.stringify({ ...record, secret_sha256: '' })]) {
      await context.redis.hset(context.keys.apiKeys, record.id, text)
      const headers = { authorization: `Bearer ${token}` }
      assert.equal((await context.app.inject({ url: '/models', headers })).statusCode, 401, text)
    }
  } finally {
    await context.close()
  }
})

test('logged URLs keep everything but secrets', () => {
  const token = formatToken({ id: 'a'.repeat(12), secret: 'b'.repeat(43) })
  assert.equal(loggedUrl('/generations?limit=2&label=token'), '/generations?limit=2&label=token')
  assert.equal(loggedUrl('/g/events?token=abc&x=1'), '/g/events?token=***&x=1')
  assert.equal(loggedUrl('/g/events?x=1&t%6Fken=abc'), '/g/events?x=1&t%6Fken=***')
  assert.equal(loggedUrl('/objects/a?expires=1&signature=abc'), '/objects/a?expires=1&signature=***')
  assert.equal(loggedUrl(`/${token}?key=${token}&%=1`), `/ns_${'a'.repeat(12)}_…?key=ns_${'a'.repeat(12)}_…&%=1`)
})
