import { canceled, output, queued, succeeded } from './generation.ts'
import { delivery, keySet, secret } from './webhook.ts'
import { classes, model, status } from './model.ts'

const BINARY = '<bytes>'
const pictures = { 'image/*': BINARY }
const json = (value: unknown) => ({ 'application/json': value })
const created = { 202: json(queued), 200: { ...json(succeeded), ...pictures } }

const METRICS = `# HELP nextscale_queue_waiting Generations that wait.
# TYPE nextscale_queue_waiting gauge
nextscale_queue_waiting 3
`

/** An example of every body an operation answers with, by operation, status and media type. Problems have theirs elsewhere. */
export const RESPONSE_EXAMPLES: Readonly<Record<string, Record<number, Record<string, unknown>>>> = {
  createGeneration: created,
  continueGeneration: created,
  getGeneration: { 200: json(succeeded) },
  getGenerationEvents: { 200: { 'text/event-stream': { id: '1767268801004-6', event: 'output', data: output } } },
  listGenerations: { 200: json({ data: [succeeded], next_cursor: null }) },
  cancelGeneration: { 200: json(canceled) },
  listModels: { 200: json({ data: [model] }) },
  getModel: { 200: json(model) },
  listModelClasses: { 200: json(classes) },
  listWebhookDeliveries: { 200: json({ data: [delivery], next_cursor: null }) },
  getWebhookDelivery: { 200: json(delivery) },
  redeliverWebhook: { 202: json({ ...delivery, status: 'pending', completed_at: null, expires_at: null }) },
  testWebhook: {
    202: json({
      ...delivery,
      generation_id: null,
      event: 'webhook.test',
      status: 'pending',
      attempts: [],
      completed_at: null,
      expires_at: null
    })
  },
  getWebhookSecret: { 200: json(secret) },
  rotateWebhookSecret: { 200: json({ ...secret, previous_expires_at: '2026-01-02T12:00:00.000Z' }) },
  getWebhookKeys: { 200: json(keySet) },
  getObject: { 200: { ...pictures, 'application/octet-stream': BINARY } },
  getStatus: { 200: json(status) },
  getHealth: { 200: json({ status: 'ok' }) },
  getReadiness: { 200: json({ status: 'ok' }) },
  getMetrics: { 200: { 'text/plain': METRICS } }
}
