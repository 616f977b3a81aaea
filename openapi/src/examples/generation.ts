import { completeInput } from '../schemas/generation-input.ts'
import type { Generation, GenerationOutput } from '../schemas/generation.ts'

export const EXAMPLE_ID = 'gen_4s5k2nq7yb6dm3xw2ehqj5ztla'
const BASE = 'https://api.example.org/v1'
const SELF = `${BASE}/generations/${EXAMPLE_ID}`

export const output: GenerationOutput = {
  index: 0,
  seed: 7,
  url: `${BASE}/objects/generations/${EXAMPLE_ID}/0.png?expires=1767272400&signature=2Jq0mVtqkY0b1l8n`,
  url_expires_at: '2026-01-01T13:00:00.000Z',
  content_type: 'image/png',
  width: 32,
  height: 32,
  bytes: 3454,
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  tokens_url: null
}

export const queued: Generation = {
  kind: 'generate',
  id: EXAMPLE_ID,
  status: 'queued',
  stage: 'queued',
  model: 'emoji-32',
  input: completeInput({
    model: 'emoji-32',
    model_revision: 'f8220c2e1e3c',
    class_label: 2,
    class_name: 'fox',
    num_images: 1,
    seed: 7,
    cfg: 1.5,
    top_k: 200,
    top_p: 0.95,
    output: { format: 'png', quality: null, metadata: true },
    priority: 'normal'
  }),
  progress: null,
  queue: { position: 0, eta_ms: 1200, message: null },
  previews: [],
  outputs: [],
  error: null,
  metrics: {
    queue_ms: null,
    sample_ms: null,
    scale_ms: null,
    decode_ms: null,
    preview_ms: null,
    encode_ms: null,
    upload_ms: null,
    total_ms: null,
    batch_size: null
  },
  parent: null,
  attempt: 0,
  webhook: null,
  created_at: '2026-01-01T12:00:00.000Z',
  started_at: null,
  completed_at: null,
  expires_at: null,
  urls: { self: SELF, cancel: `${SELF}/cancel`, events: `${SELF}/events?token=ZXhhbXBsZQ` },
  metadata: { order: '17' },
  label: null
}

export const succeeded: Generation = {
  ...queued,
  status: 'succeeded',
  stage: null,
  progress: { scale: 7, scales: 7, tokens: 155, tokens_total: 155 },
  queue: null,
  outputs: [output],
  metrics: {
    queue_ms: 12,
    sample_ms: 89,
    scale_ms: [24, 4, 4, 14, 12, 10, 21],
    decode_ms: 7,
    preview_ms: null,
    encode_ms: 9,
    upload_ms: 3,
    total_ms: 167,
    batch_size: 1
  },
  attempt: 1,
  started_at: '2026-01-01T12:00:00.012Z',
  completed_at: '2026-01-01T12:00:00.167Z',
  expires_at: '2026-01-02T12:00:00.167Z'
}

export const canceled: Generation = {
  ...queued,
  status: 'canceled',
  stage: null,
  queue: null,
  completed_at: '2026-01-01T12:00:00.300Z',
  expires_at: '2026-01-02T12:00:00.300Z'
}
