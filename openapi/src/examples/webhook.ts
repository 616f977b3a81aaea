import type { WebhookDelivery, WebhookKeySet, WebhookSecret } from '../schemas/webhook-delivery.ts'
import type { WebhookEvent, WebhookEventData } from '../schemas/webhook-event.ts'
import type { WebhookEventName } from '../schemas/webhook.ts'
import { canceled, EXAMPLE_ID, output, queued, succeeded } from './generation.ts'

export const delivery: WebhookDelivery = {
  id: 'whd_4s5k2nq7yb6dm3xw2ehqj5ztla',
  generation_id: EXAMPLE_ID,
  event: 'generation.succeeded',
  url: 'https://hooks.example.com/nextscale',
  status: 'delivered',
  attempts: [
    {
      at: '2026-01-01T12:00:01.010Z',
      outcome: 'rejected',
      status_code: 503,
      latency_ms: 31,
      error: null,
      response: 'Down for maintenance'
    },
    { at: '2026-01-01T12:00:06.480Z', outcome: 'delivered', status_code: 204, latency_ms: 18, error: null, response: '' }
  ],
  next_attempt_at: null,
  created_at: '2026-01-01T12:00:00.000Z',
  completed_at: '2026-01-01T12:00:06.500Z',
  expires_at: '2026-01-31T12:00:06.500Z'
}

export const secret: WebhookSecret = {
  secret: 'whsec_ZXhhbXBsZS1zZWNyZXQtb2YtMjQtYnl0ZXM=',
  created_at: '2026-01-01T12:00:00.000Z',
  previous_expires_at: null
}

export const keySet: WebhookKeySet = {
  keys: [
    {
      kty: 'OKP',
      crv: 'Ed25519',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
      kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
      use: 'sig',
      alg: 'EdDSA'
    }
  ]
}

const running = { ...queued, status: 'running', stage: 'sampling', queue: null, attempt: 1 } as const
const progress = { scale: 4, scales: 7, tokens: 30, tokens_total: 155 }

const DATA: WebhookEventData = {
  'generation.started': { ...running, started_at: '2026-01-01T12:00:00.012Z' },
  'generation.progress': { ...running, started_at: '2026-01-01T12:00:00.012Z', progress },
  'generation.output': { generation_id: EXAMPLE_ID, output, metadata: queued.metadata, label: null },
  'generation.succeeded': succeeded,
  'generation.failed': {
    ...succeeded,
    status: 'failed',
    outputs: [],
    error: { code: 'sampler_failed', message: 'The sampler failed three times.', retryable: true }
  },
  'generation.canceled': canceled,
  'generation.expired': { ...canceled, status: 'expired' },
  'webhook.test': { message: 'A test: webhooks arrive here.' }
}

/** What the request of an event carries. */
export const exampleEvent = (type: WebhookEventName): WebhookEvent =>
  ({ type, timestamp: '2026-01-01T12:00:01.004Z', data: DATA[type] }) as WebhookEvent
