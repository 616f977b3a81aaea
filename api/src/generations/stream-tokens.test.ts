import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { redisKeys } from '@nextscale/openapi'
import { Redis } from 'ioredis'
import { startRedis } from '@nextscale/platform/testing'
import { createStreamTokens, mintStreamToken, verifyStreamToken } from './stream-tokens.ts'

const ID = `gen_${'a'.repeat(26)}`
const OTHER = `gen_${'b'.repeat(26)}`
const SECRET = createSecretKey(Buffer.alloc(32, 1))
const NOW = 1_700_000_000_000
const keys = redisKeys('test')

test('a token tells the owner, for its generation and for an hour', () => {
  const token = mintStreamToken(SECRET, ID, 'key_ä.1', NOW)
  const pass = { owner: 'key_ä.1', token, expiresAt: NOW + 3_600_000 }
  assert.deepEqual(verifyStreamToken(SECRET, token, ID, NOW), pass)
  assert.deepEqual(verifyStreamToken(SECRET, token, ID, NOW + 3_599_000), pass)
  assert.equal(verifyStreamToken(SECRET, token, ID, NOW + 3_600_000), undefined)
  assert.equal(verifyStreamToken(SECRET, token, OTHER, NOW), undefined)
  assert.equal(verifyStreamToken(createSecretKey(Buffer.alloc(32, 2)), token, ID, NOW), undefined)
})

test('no part of a token can be changed', () => {
  const token = mintStreamToken(SECRET, ID, 'local', NOW)
  const longer = token.replace(/^[^.]+/, (expires) => (Number.parseInt(expires, 36) + 60).toString(36))
  const stolen = token.replace(/\.[^.]+\./, `.${Buffer.from('other').toString('base64url')}.`)
  for (const changed of [longer, stolen, `${token}A`, token.slice(1), token.slice(0, -1), '', 'a.b.c', `${token}\n`])
    assert.equal(verifyStreamToken(SECRET, changed, ID, NOW), undefined, changed)
})

const connected = async (t: TestContext, url: string) => {
  const redis = new Redis(url)
  redis.on('error', () => undefined)
  t.after(() => redis.disconnect())
  const tokens = createStreamTokens(redis, keys)
  await once(redis, 'ready')
  // Commands of a connection are in order, so by its answer the secret is there.
  await redis.ping()
  return { redis, tokens }
}

test('a token of one process is good at every other, without a round trip', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const [first, second] = await Promise.all([connected(t, server.url), connected(t, server.url)])
  const token = first.tokens.mint(ID, 'local')
  assert.ok(token)
  server.freeze()
  assert.equal((await second.tokens.verify(token, ID))?.owner, 'local')
  server.thaw()
})

test('tokens stay good when Redis comes back without the secret', async (t) => {
  const server = await startRedis()
  const { redis, tokens } = await connected(t, server.url)
  const token = tokens.mint(ID, 'local') ?? ''
  await server.stop()
  const again = await startRedis(server.port)
  t.after(() => again.stop())
  await once(redis, 'ready')
  await redis.ping()
  const { tokens: fresh } = await connected(t, again.url)
  assert.equal((await fresh.verify(token, ID))?.owner, 'local')
})

test('before Redis has been reached there is no token to mint', () => {
  const redis = new Redis({ lazyConnect: true })
  assert.equal(createStreamTokens(redis, keys).mint(ID, 'local'), undefined)
  redis.disconnect()
})
