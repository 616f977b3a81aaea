import type { TSchema } from 'typebox'
import { exampleEvent } from '../examples/webhook.ts'
import { WEBHOOK_EVENT_BODIES } from '../schemas/webhook-event.ts'
import { TEST_WEBHOOK_EVENT, type WebhookEventName } from '../schemas/webhook.ts'

const SUMMARIES: Readonly<Record<WebhookEventName, string>> = {
  'generation.started': 'A runner has begun (best effort)',
  'generation.progress': 'Scales were finished (best effort)',
  'generation.output': 'A picture is stored (best effort)',
  'generation.succeeded': 'All pictures are stored',
  'generation.failed': 'It was given up',
  'generation.canceled': 'It was canceled, by its caller or by `deadline_seconds`',
  'generation.expired': 'It was not started within `start_deadline_seconds`',
  [TEST_WEBHOOK_EVENT]: 'Asked for with `POST /webhooks/test`'
}

const DESCRIPTION =
  'Sent at least once; repeats carry the same `webhook-id`. Answer 2xx within 15 seconds: anything else is tried again, about 10 times over about 3 days, `Retry-After` is honoured, 410 ends it, redirects are not followed.'

const header = (name: string, description: string, schema: { type: 'string' | 'integer' } = { type: 'string' }) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema
})

const PARAMETERS = [
  header('webhook-id', 'Id of the delivery. Requests that repeat one have the same.'),
  header('webhook-timestamp', 'Unix time of this request in seconds: refuse what is more than five minutes off.', {
    type: 'integer'
  }),
  header(
    'webhook-signature',
    'Signatures of `<webhook-id>.<webhook-timestamp>.<body>`, one of which must fit, separated by spaces: `v1,` and the base64 of HMAC-SHA256 with the API key’s secret; `v1a,` and that of Ed25519 where the service makes those.'
  )
]

/** A tag of their own, since generators make a file of each tag and callers do not send these. */
export const WEBHOOK_TAG = 'webhook-events'

/**
 * The requests of the OpenAPI document’s `webhooks`, by their events. They are components, and `webhooks` refers to them: of
 * webhooks written in place openapi-generator makes calls, and Python that does not compile.
 */
export const describeWebhooks = (toSchema: (schema: TSchema) => object) =>
  Object.fromEntries(
    WEBHOOK_EVENT_BODIES.map(([type, schema]) => [
      type,
      {
        post: {
          operationId: `on.${type}`,
          tags: [WEBHOOK_TAG],
          summary: SUMMARIES[type],
          description: DESCRIPTION,
          security: [],
          parameters: PARAMETERS,
          requestBody: {
            required: true,
            content: { 'application/json': { schema: toSchema(schema), example: exampleEvent(type) } }
          },
          responses: {
            '2XX': { description: 'Taken.' },
            410: { description: 'Not wanted any more: the delivery is given up.' }
          }
        }
      }
    ])
  )
