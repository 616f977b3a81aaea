import Type, { type Static } from 'typebox'
import { DeliveryId, GenerationId, nullable, oneOf, Timestamp } from './primitives.ts'
import { DeliveryStatusSchema, TEST_WEBHOOK_EVENT, WEBHOOK_EVENTS } from './webhook.ts'

/** Bytes of an answer that are kept. */
export const KEPT_ANSWER_BYTES = 1024

/** `refused`: the URL leads, by now, to a place nothing is sent to. */
export const ATTEMPT_OUTCOMES = ['delivered', 'rejected', 'unreachable', 'timeout', 'refused', 'gone'] as const

export const WebhookAttempt = Type.Object(
  {
    at: Timestamp('When the request was made.'),
    outcome: oneOf(ATTEMPT_OUTCOMES, {
      description:
        '`delivered`: 2xx. `rejected`: another status, redirects included. `unreachable`: no connection, or one that broke. `timeout`: no whole answer in time. `refused`: the URL leads to an address nothing is sent to. `gone`: nothing is left to tell of, since the generation was deleted.'
    }),
    status_code: nullable(Type.Integer({ minimum: 100, maximum: 999, description: 'Status of the answer; `null` without one.' })),
    latency_ms: Type.Number({ minimum: 0, description: 'How long it took.' }),
    error: nullable(Type.String({ description: 'What went wrong, where the answer does not say it.' })),
    response: nullable(Type.String({ description: 'Beginning of the answer’s body: 1 KB at most.' }))
  },
  { $id: 'WebhookAttempt', description: 'One request to a receiver.' }
)
export type WebhookAttempt = Static<typeof WebhookAttempt>

export const WebhookDelivery = Type.Object(
  {
    id: DeliveryId,
    generation_id: nullable(GenerationId, 'The generation it tells of; `null` for a test.'),
    event: nullable(
      oneOf([...WEBHOOK_EVENTS, TEST_WEBHOOK_EVENT], {
        description: 'What it announces; `null` until the generation has ended one way or another.'
      })
    ),
    url: Type.String({ format: 'uri', description: 'Where it is sent.' }),
    status: DeliveryStatusSchema,
    attempts: Type.Array(WebhookAttempt, { description: 'First to last.' }),
    next_attempt_at: nullable(Timestamp('When it is tried next; `null` when nothing is planned, or it is due now.')),
    created_at: Timestamp('When it was made: with its generation, or at its event.'),
    completed_at: nullable(Timestamp('When it was delivered, given up or skipped.')),
    expires_at: nullable(Timestamp('Until when it is kept.'))
  },
  { $id: 'WebhookDelivery', description: 'One event for one receiver, and every attempt to deliver it.' }
)
export type WebhookDelivery = Static<typeof WebhookDelivery>

export const WebhookDeliveryList = Type.Object(
  {
    data: Type.Array(WebhookDelivery, { description: 'The deliveries of this page.' }),
    next_cursor: nullable(Type.String({ description: 'Pass as `cursor` for the next page; `null` at the end.' }))
  },
  { $id: 'WebhookDeliveryList', description: 'Newest first. With filters, a page may be shorter than `limit` before the end.' }
)
export type WebhookDeliveryList = Static<typeof WebhookDeliveryList>

export const WebhookSecret = Type.Object(
  {
    secret: Type.String({
      pattern: '^whsec_[A-Za-z0-9+/]+=*$',
      description: 'Key of the HMAC-SHA256 signatures (`v1`), as Standard Webhooks writes it: base64 after `whsec_`.'
    }),
    created_at: Timestamp('When it was drawn.'),
    previous_expires_at: nullable(
      Timestamp('Until when requests are signed with the secret before this one as well; `null` when they are not.')
    )
  },
  { $id: 'WebhookSecret', description: 'Each API key has one.' }
)
export type WebhookSecret = Static<typeof WebhookSecret>

const WebhookPublicKey = Type.Object(
  {
    kty: oneOf(['OKP'], { description: 'Kind of the key.' }),
    crv: oneOf(['Ed25519'], { description: 'Its curve.' }),
    x: Type.String({ description: 'The public key: 32 bytes in base64url.' }),
    kid: Type.String({ description: 'Thumbprint of the key (RFC 7638).' }),
    use: oneOf(['sig'], { description: 'What it is for: signatures.' }),
    alg: oneOf(['EdDSA'], { description: 'Their algorithm.' })
  },
  { $id: 'WebhookPublicKey', description: 'JSON Web Key of an Ed25519 key (RFC 8037).' }
)

/** JSON Web Key Set (RFC 7517). */
export const WebhookKeySet = Type.Object(
  { keys: Type.Array(WebhookPublicKey, { description: 'The keys; any of them may have signed.' }) },
  {
    $id: 'WebhookKeySet',
    description: 'Keys whose Ed25519 signatures (`v1a`) requests carry, one each. Empty where the service makes none.'
  }
)
export type WebhookKeySet = Static<typeof WebhookKeySet>
