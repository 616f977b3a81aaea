import Type, { type Static } from 'typebox'
import { DeliveryId, oneOf, optional } from './primitives.ts'

/** Events that end a generation. Exactly one of them is delivered, at least once, to whoever asked for it. */
export const TERMINAL_WEBHOOK_EVENTS = [
  'generation.succeeded',
  'generation.failed',
  'generation.canceled',
  'generation.expired'
] as const
export type TerminalWebhookEvent = (typeof TERMINAL_WEBHOOK_EVENTS)[number]

/** Events on the way there. They are best effort: one may be lost with the runner that would have sent it. */
export const LIVE_WEBHOOK_EVENTS = ['generation.started', 'generation.progress', 'generation.output'] as const
export type LiveWebhookEvent = (typeof LIVE_WEBHOOK_EVENTS)[number]

/** What `POST /webhooks/test` sends. */
export const TEST_WEBHOOK_EVENT = 'webhook.test'

export const WEBHOOK_EVENTS = [...LIVE_WEBHOOK_EVENTS, ...TERMINAL_WEBHOOK_EVENTS] as const
export type WebhookEventName = (typeof WEBHOOK_EVENTS)[number] | typeof TEST_WEBHOOK_EVENT

export const MAX_WEBHOOK_URL_LENGTH = 2048

const WebhookUrl = Type.String({
  format: 'uri',
  maxLength: MAX_WEBHOOK_URL_LENGTH,
  description: '`https` only, at a public address, without user name or password.'
})

const Events = Type.Array(oneOf(WEBHOOK_EVENTS), { uniqueItems: true, minItems: 1, description: 'What is announced.' })

/** The `webhook` of a request. */
export const WebhookRequest = Type.Object(
  {
    url: WebhookUrl,
    events: optional(
      Type.Array(oneOf(WEBHOOK_EVENTS), {
        uniqueItems: true,
        description:
          'What to announce. Default, also of an empty list: the four ends. `generation.started`, `.progress` and `.output` are best effort: each is tried a few times, and may be lost or be overtaken.'
      })
    )
  },
  { $id: 'WebhookRequest', additionalProperties: false, description: 'Where to announce what happens to the generation.' }
)
export type WebhookRequest = Static<typeof WebhookRequest>

/** The body of `POST /webhooks/test`. */
export const WebhookTestRequest = Type.Object(
  { url: WebhookUrl },
  { $id: 'WebhookTestRequest', additionalProperties: false, description: 'Where to send a `webhook.test` event.' }
)

/** A webhook as it lies in the queue. */
export const QueuedWebhook = Type.Object({
  url: Type.String(),
  events: Events,
  /** Base of absolute URLs as the request saw the API; where the control process has its own setting, that counts. */
  base: Type.String()
})
export type QueuedWebhook = Static<typeof QueuedWebhook>

export const DELIVERY_STATUSES = ['waiting', 'pending', 'delivered', 'failed', 'skipped'] as const
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number]

export const DeliveryStatusSchema = oneOf(DELIVERY_STATUSES, {
  description:
    '`waiting`: the generation has not ended. `pending`: due, under way, or to be tried again. `delivered`: the receiver answered 2xx. `failed`: given up. `skipped`: it ended in an event that was not asked for.'
})

/** The `webhook` of a generation. */
export const WebhookState = Type.Object(
  {
    url: Type.String({ format: 'uri', description: 'Where it is announced.' }),
    events: Events,
    delivery_id: DeliveryId,
    status: DeliveryStatusSchema,
    attempts: Type.Integer({ minimum: 0, description: 'Requests made so far to announce the end.' })
  },
  { $id: 'WebhookState', description: 'The announcement of the generation’s end. Its status is apart from the generation’s own.' }
)
export type WebhookState = Static<typeof WebhookState>
