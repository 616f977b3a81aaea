import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { signatureHeaders } from './sign.ts'
import { openSigningKeys } from './signing-keys.ts'

const secretOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`
const CURRENT = secretOf(1)
const PREVIOUS = secretOf(2)
const KEYS = openSigningKeys([3, 4].map((byte) => `whsk_${Buffer.alloc(32, byte).toString('base64')}`))

const BODY = '{"type":"webhook.test","text":"ü €"}'
const TIMESTAMP = Math.floor(Date.now() / 1000)
const headers = signatureHeaders(
  { id: 'whd_a', timestamp: TIMESTAMP, body: BODY },
  [CURRENT, PREVIOUS],
  KEYS.map(({ privateKey }) => privateKey)
)

test('each secret verifies with the official library, and no other does', () => {
  for (const secret of [CURRENT, PREVIOUS]) assert.deepEqual(new Webhook(secret).verify(BODY, headers), JSON.parse(BODY))
  assert.throws(() => new Webhook(secretOf(9)).verify(BODY, headers))
})

test('id, time and every byte of the body are signed', () => {
  const webhook = new Webhook(CURRENT)
  assert.throws(() => webhook.verify(BODY.replace('ü', 'u'), headers))
  assert.throws(() => webhook.verify(BODY, { ...headers, 'webhook-id': 'whd_b' }))
  assert.throws(() => webhook.verify(BODY, { ...headers, 'webhook-timestamp': String(TIMESTAMP + 1) }))
})

test('each published key verifies one v1a signature', () => {
  const content = Buffer.from(`whd_a.${TIMESTAMP}.${BODY}`)
  const signatures = headers['webhook-signature']
    .split(' ')
    .filter((signature) => signature.startsWith('v1a,'))
    .map((signature) => Buffer.from(signature.slice('v1a,'.length), 'base64'))
  const fits = KEYS.map(({ jwk }) => {
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    return signatures.map((signature) => verify(null, content, key, signature))
  })
  assert.deepEqual(fits, [
    [true, false],
    [false, true]
  ])
})

test('without a previous secret and without keys there is one signature', () => {
  const alone = signatureHeaders({ id: 'whd_a', timestamp: TIMESTAMP, body: BODY }, [CURRENT], [])
  assert.match(alone['webhook-signature'], /^v1,[A-Za-z0-9+/]{43}=$/)
})
