import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, sign, verify } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  getWebhookKeys,
  getWebhookSecret,
  type Operation,
  rotateWebhookSecret,
  type WebhookKeySet,
  type WebhookSecret
} from '@nextscale/openapi'
import { assertKept } from '../../testing/contract.ts'
import { bodyOf, openTestApp, type TestApp } from '../../testing/test-app.ts'
import { openSigningKeys } from '../../webhooks/signing-keys.ts'

const KEYS = [randomBytes(32), randomBytes(32)].map((seed) => `whsk_${seed.toString('base64')}`)

let context: TestApp
let plain: TestApp
let tokens: string[]
before(async () => {
  context = await openTestApp({ HOST: '0.0.0.0', WEBHOOK_SIGNING_KEYS: KEYS.join(',') })
  plain = await openTestApp()
  const created = await Promise.all([1, 2].map(() => context.createKey({ scopes: ['webhooks'] })))
  tokens = created.map(({ token }) => token)
})
after(async () => {
  await context.close()
  await plain.close()
})

const call = async (operation: Operation, { app } = context, token = tokens[0]) => {
  const { method, path: url } = operation
  const response = await app.inject({ method, url, headers: { authorization: `Bearer ${token}` } })
  assertKept(operation, response)
  assert.equal(response.statusCode, 200, response.body)
  return response
}

test('each key has a secret, the same whenever it is read, which nobody caches', async () => {
  const response = await call(getWebhookSecret)
  const first = bodyOf<WebhookSecret>(response)
  assert.equal(response.headers['cache-control'], 'no-store')
  assert.equal(first.previous_expires_at, null)
  assert.equal(Buffer.from(first.secret.slice('whsec_'.length), 'base64').length, 32)
  assert.deepEqual(bodyOf<WebhookSecret>(await call(getWebhookSecret)), first)
  const other = bodyOf<WebhookSecret>(await call(getWebhookSecret, context, tokens[1]))
  assert.notEqual(other.secret, first.secret)
})

test('a rotation gives a new one, says until when the one before signs, and concerns its key alone', async () => {
  const other = bodyOf<WebhookSecret>(await call(getWebhookSecret, context, tokens[1]))
  const first = bodyOf<WebhookSecret>(await call(getWebhookSecret))
  const response = await call(rotateWebhookSecret)
  const second = bodyOf<WebhookSecret>(response)
  assert.equal(response.headers['cache-control'], 'no-store')
  assert.notEqual(second.secret, first.secret)
  assert.equal(Date.parse(second.previous_expires_at ?? '') - Date.parse(second.created_at), 86_400_000)
  assert.deepEqual(bodyOf<WebhookSecret>(await call(getWebhookSecret)), second)
  assert.deepEqual(bodyOf<WebhookSecret>(await call(getWebhookSecret, context, tokens[1])), other)
})

test('secrets are never logged', async () => {
  const { secret } = bodyOf<WebhookSecret>(await call(rotateWebhookSecret))
  assert.ok(context.logLines.some((line) => line.includes('webhook secret rotated')))
  assert.ok(context.logLines.every((line) => !line.includes(secret) && !line.includes('whsec_')))
})

test('anyone can read the keys, and verifies with them what the service signs', async () => {
  const response = await context.app.inject('/webhooks/keys')
  assertKept(getWebhookKeys, response)
  assert.match(String(response.headers['cache-control']), /^public, max-age=\d+$/)
  const { keys } = bodyOf<WebhookKeySet>(response)
  const text = Buffer.from('whd_x.1800000000.{}')
  for (const [position, { privateKey }] of openSigningKeys(KEYS).entries()) {
    const published = createPublicKey({ key: { ...keys[position] }, format: 'jwk' })
    assert.ok(verify(null, text, published, sign(null, text, privateKey)))
  }
  assert.equal(keys.length, KEYS.length)
  assert.ok(keys.every((key) => !('d' in key)))
})

test('a service without Ed25519 keys has an empty set of them', async () => {
  assert.deepEqual(bodyOf<WebhookKeySet>(await call(getWebhookKeys, plain)), { keys: [] })
})
