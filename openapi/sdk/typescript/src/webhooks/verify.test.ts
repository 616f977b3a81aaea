import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { verifyWebhook, WebhookVerificationError } from './verify.ts'

const newSecret = () => `whsec_${randomBytes(24).toString('base64')}`
const SECRET = newSecret()
const BODY = '{"type":"generation.succeeded","data":{"name":"Füchslein"}}'
const NOW = new Date('2026-01-01T12:00:00Z')

/** A delivery as the reference implementation signs it. */
const signed = ({ secret = SECRET, at = NOW, body = BODY } = {}) => ({
  'webhook-id': 'msg_1',
  'webhook-timestamp': String(at.getTime() / 1000),
  'webhook-signature': new Webhook(secret).sign('msg_1', at, body)
})
const verify = (
  headers: Record<string, string | undefined>,
  secret: string | string[] = SECRET,
  body: string | Uint8Array = BODY
) => verifyWebhook(body, headers, secret, { now: NOW })
const shifted = (seconds: number) => new Date(NOW.getTime() + seconds * 1000)

describe('verifyWebhook', () => {
  it('takes what the reference implementation signs', async () => {
    const expected = { id: 'msg_1', timestamp: NOW, payload: JSON.parse(BODY) as unknown }
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
})
