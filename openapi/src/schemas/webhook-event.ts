import Type, { type Static, type TSchema } from 'typebox'
import { Generation, GenerationOutput } from './generation.ts'
import { GenerationId, nullable, textByName, Timestamp } from './primitives.ts'
import { TEST_WEBHOOK_EVENT, type WebhookEventName } from './webhook.ts'

/** `generation.output`: one picture, as soon as all of the generation are stored. */
export const WebhookOutput = Type.Object(
  { generation_id: GenerationId, output: GenerationOutput, metadata: textByName(), label: nullable(Type.String()) },
  { $id: 'WebhookOutput' }
)

/** `data` of each event, by its type. That of a generation is read when the request is made, so its links are fresh. */
export const WEBHOOK_EVENT_DATA = {
  'generation.started': Generation,
  'generation.progress': Generation,
  'generation.output': WebhookOutput,
  'generation.succeeded': Generation,
  'generation.failed': Generation,
  'generation.canceled': Generation,
  'generation.expired': Generation,
  [TEST_WEBHOOK_EVENT]: Type.Object({ message: Type.String() })
} as const satisfies Record<WebhookEventName, TSchema>

export type WebhookEventData = { [N in WebhookEventName]: Static<(typeof WEBHOOK_EVENT_DATA)[N]> }

/** The body of a webhook request. */
export type WebhookEvent = {
  [N in WebhookEventName]: { type: N; /** ISO 8601, of the event. */ timestamp: string; data: WebhookEventData[N] }
}[WebhookEventName]

/** Schema of the body of one event's requests. */
export const webhookEventOf = (type: WebhookEventName) =>
  Type.Object({
    type: Type.Literal(type),
    timestamp: Timestamp('When it happened.'),
    data: WEBHOOK_EVENT_DATA[type]
  })
