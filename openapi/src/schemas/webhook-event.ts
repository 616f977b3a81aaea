import Type, { type Static, type TSchema } from 'typebox'
import { Generation, GenerationOutput } from './generation.ts'
import { described, GenerationId, nullable, textByName, Timestamp } from './primitives.ts'
import { TEST_WEBHOOK_EVENT, WEBHOOK_EVENTS, type WebhookEventName } from './webhook.ts'

/** `generation.output`: one picture, as soon as all of the generation are stored. */
export const WebhookOutput = Type.Object(
  {
    generation_id: GenerationId,
    output: described(GenerationOutput, 'The picture.'),
    metadata: textByName({}, { description: 'The caller’s own texts, as they were sent with the request.' }),
    label: nullable(Type.String({ description: 'The caller’s own label.' }))
  },
  { $id: 'WebhookOutput', description: 'A picture of a generation, as soon as all of them are stored.' }
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
  [TEST_WEBHOOK_EVENT]: Type.Object(
    { message: Type.String({ description: 'A sentence that says that this is a test.' }) },
    { $id: 'TestWebhookData', description: 'What a test tells.' }
  )
} as const satisfies Record<WebhookEventName, TSchema>

export type WebhookEventData = { [N in WebhookEventName]: Static<(typeof WEBHOOK_EVENT_DATA)[N]> }

/** The body of a webhook request. */
export type WebhookEvent = {
  [N in WebhookEventName]: { type: N; /** ISO 8601, of the event. */ timestamp: string; data: WebhookEventData[N] }
}[WebhookEventName]

const capitalised = (word: string) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`

/** `generation.failed` is a `GenerationFailedWebhook`, and `webhook.test` a `TestWebhook`. */
const nameOf = (type: WebhookEventName): string => `${type.replace('webhook.', '').split('.').map(capitalised).join('')}Webhook`

const eventOf = (type: WebhookEventName) =>
  Type.Object(
    {
      type: Type.Literal(type, { description: 'What has happened.' }),
      timestamp: Timestamp('When it happened.'),
      data: described(WEBHOOK_EVENT_DATA[type], 'What it happened to.')
    },
    { $id: nameOf(type), description: `Body of the webhook \`${type}\`.` }
  )

const EVENTS: readonly WebhookEventName[] = [...WEBHOOK_EVENTS, TEST_WEBHOOK_EVENT]

/** Schema of the body of each event's requests. */
export const WEBHOOK_EVENT_BODIES = EVENTS.map((type) => [type, eventOf(type)] as const)
