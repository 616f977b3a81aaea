import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import { Webhook } from 'standardwebhooks'
import type { WebhookEvent } from './event.ts'
import type { WebhookKey } from './keys.ts'
import { verifyWebhook, WebhookVerificationError } from './verify.ts'

const newSecret = () => `whsec_${randomBytes(24).toString('base64')}`
const SECRET = newSecret()
const BODY = '{"type":"generation.succeeded","data":{"name":"Füchslein"}}'
const NOW = new Date('2026-01-01T12:00:00Z')

/** A delivery as the reference implementation signs it. */
const signed = ({ secret = SECRET, at = NOW, body = BODY } = {}) => ({
  'webhook-id': 'msg_1',
  'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
  'webhook-signature': new Webhook(secret).sign('msg_1', at, body)
})
const verify = (
  headers: Record<string, string | undefined>,
  secret: WebhookKey | WebhookKey[] = SECRET,
  body: string | Uint8Array = BODY
) => verifyWebhook(body, headers, secret, { now: NOW })

/** An Ed25519 key as services publish it, and a delivery that it signs, made with Node's own crypto: the reference has HMAC alone. */
const newSigner = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { x = '' } = publicKey.export({ format: 'jwk' })
  const signature = sign(null, Buffer.from(`msg_1.${NOW.getTime() / 1000}.${BODY}`), privateKey).toString('base64')
  return {
    jwk: { kty: 'OKP', crv: 'Ed25519', x, kid: 'kid', use: 'sig', alg: 'EdDSA' } as const,
    whpk: `whpk_${Buffer.from(x, 'base64url').toString('base64')}`,
    signature: `v1a,${signature}`
  }
}
const withSignatures = (...signatures: string[]) => ({ ...signed(), 'webhook-signature': signatures.join(' ') })
const shifted = (seconds: number) => new Date(NOW.getTime() + seconds * 1000)

describe('verifyWebhook', () => {
  it('takes what the reference implementation signs', async () => {
    const expected = { id: 'msg_1', timestamp: NOW, event: JSON.parse(BODY) as unknown }
    assert.deepEqual(await verify(signed()), expected)
    assert.deepEqual(await verify(signed(), SECRET, new TextEncoder().encode(BODY)), expected)
    assert.deepEqual(await verifyWebhook(BODY, new Headers(signed()), SECRET, { now: NOW }), expected)
  })
  it('takes headers in any case', async () => {
    const headers = Object.fromEntries(Object.entries(signed()).map(([name, value]) => [name.toUpperCase(), value]))
    assert.equal((await verify(headers)).id, 'msg_1')
  })
  it('takes any of several signatures and secrets', async () => {
    const headers = signed()
    const others = `v1a,abc v1,not-base64! ${signed({ secret: newSecret() })['webhook-signature']}`
    await verify({ ...headers, 'webhook-signature': `${others} ${headers['webhook-signature']}` }, [newSecret(), SECRET])
  })
  it('takes a delivery of the last and the next 5 minutes alone', async () => {
    await verify(signed({ at: shifted(-300) }))
    await verify(signed({ at: shifted(300) }))
    await assert.rejects(verify(signed({ at: shifted(-301) })), /older than 5 minutes/)
    await assert.rejects(verify(signed({ at: shifted(301) })), /from the future/)
  })

  it('takes what it signs with a key of the set, whichever of them that is', async () => {
    const [old, current] = [newSigner(), newSigner()]
    const hmac = signed()['webhook-signature']
    await verify(withSignatures(hmac, current.signature), { keys: [old.jwk, current.jwk] })
    await verify(withSignatures(hmac, old.signature), [old.whpk, current.whpk])
    await verify(withSignatures('v1a,!', current.signature), [SECRET, { keys: [current.jwk] }])
    await assert.rejects(verify(withSignatures(current.signature), { keys: [old.jwk] }), WebhookVerificationError)
    await assert.rejects(verify(withSignatures(current.signature), { keys: [] }), WebhookVerificationError)
  })
  it('does not take a signature of one version for one of another', async () => {
    const { jwk, signature } = newSigner()
    const hmac = signed()['webhook-signature']
    await assert.rejects(verify(withSignatures(signature.replace('v1a,', 'v1,')), { keys: [jwk] }), WebhookVerificationError)
    await assert.rejects(verify(withSignatures(hmac.replace('v1,', 'v1a,'))), WebhookVerificationError)
    await assert.rejects(verify(withSignatures(hmac.replace('v1,', 'v2,'))), WebhookVerificationError)
    await verify(withSignatures('v2,abc', 'v1', '', hmac))
  })
  it('is agreed with by the reference implementation', async () => {
    const headers = signed({ at: new Date() })
    const { event } = await verifyWebhook(BODY, headers, SECRET)
    assert.deepEqual(new Webhook(SECRET).verify(BODY, headers), event)
    const forgery = { ...headers, 'webhook-id': 'msg_2' }
    assert.throws(() => new Webhook(SECRET).verify(BODY, forgery))
    await assert.rejects(verifyWebhook(BODY, forgery, SECRET), WebhookVerificationError)
  })
  it('gives an event whose type says what its data is', async () => {
    const describeEvent = (event: WebhookEvent): string => {
      switch (event.type) {
        case 'generation.output':
          return event.data.output.url
        case 'generation.failed':
          return event.data.error?.message ?? ''
        case 'webhook.test':
          return event.data.message
        default:
          return event.type
      }
    }
    const told = async (body: string) => describeEvent((await verify(signed({ body }), SECRET, body)).event)
    assert.equal(await told('{"type":"generation.output","data":{"output":{"url":"https://x/0.png"}}}'), 'https://x/0.png')
    assert.equal(await told('{"type":"webhook.test","data":{"message":"A test."}}'), 'A test.')
    assert.equal(await told('{"type":"generation.dreamt","data":{}}'), 'generation.dreamt')
  })
  for (const body of ['', '[1]', 'null', '{"type":"webhook.test"', '{"data":{}}'])
    it(`refuses a signed body that is no event: ${body}`, () =>
      assert.rejects(verify(signed({ body }), SECRET, body), /no event/))

  const forged: [string, () => Promise<unknown>][] = [
    ['another body', () => verify(signed(), SECRET, `${BODY} `)],
    ['another secret', () => verify(signed(), newSecret())],
    ['no secret', () => verify(signed(), [])],
    ['another id', () => verify({ ...signed(), 'webhook-id': 'msg_2' })],
    ['another time', () => verify({ ...signed(), 'webhook-timestamp': String(NOW.getTime() / 1000 + 1) })],
    ['a time that is none', () => verify({ ...signed(), 'webhook-timestamp': '1e9' })],
    ['a signature cut short', () => verify({ ...signed(), 'webhook-signature': signed()['webhook-signature'].slice(0, -8) })],
    [
      'a signature without its version',
      () => verify({ ...signed(), 'webhook-signature': signed()['webhook-signature'].slice(3) })
    ],
    ['no signature', () => verify({ ...signed(), 'webhook-signature': undefined })]
  ]
  for (const [name, attempt] of forged) it(`refuses ${name}`, () => assert.rejects(attempt(), WebhookVerificationError))
  it('says when the secret is none', () => assert.rejects(verify(signed(), 'whsec_!'), /not whsec_ and base64/))
  it('says when the public key is none', () => assert.rejects(verify(signed(), 'whpk_AAAA'), /not whpk_ and the base64 of 32/))
})
