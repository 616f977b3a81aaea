import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { test } from 'node:test'
import { openSigningKeys } from './signing-keys.ts'

const toText = (bytes: Buffer) => `whsk_${bytes.toString('base64')}`

/** The key of RFC 8037, appendix A, and its thumbprint. */
const SEED = Buffer.from('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'base64url')
const PUBLIC = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
const THUMBPRINT = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'

test('a seed, alone or before its public key, is the key that RFC 8037 says it is', () => {
  const both = Buffer.concat([SEED, Buffer.from(PUBLIC, 'base64url')])
  for (const { jwk } of openSigningKeys([toText(SEED), toText(both)]))
    assert.deepEqual(jwk, { kty: 'OKP', crv: 'Ed25519', x: PUBLIC, kid: THUMBPRINT, use: 'sig', alg: 'EdDSA' })
})

test('the published half verifies what the private half signs', () => {
  const seed = Buffer.from(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }).d ?? '', 'base64url')
  const [key] = openSigningKeys([toText(seed)])
  assert.ok(key)
  const text = Buffer.from('whd_1.1800000000.{}')
  const signature = sign(null, text, key.privateKey)
  const published = createPublicKey({ key: { ...key.jwk }, format: 'jwk' })
  assert.ok(verify(null, text, published, signature))
  assert.ok(!verify(null, Buffer.from('whd_1.1800000000.{ }'), published, signature))
})

test('halves that do not belong together stop the start with a sentence that says what to do', () => {
  assert.throws(() => openSigningKeys([toText(Buffer.concat([SEED, SEED]))]), /WEBHOOK_SIGNING_KEYS .* leave it out/)
})
