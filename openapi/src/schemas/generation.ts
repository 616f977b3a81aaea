import Type, { type Static } from 'typebox'
import { GenerationInput } from './generate-request.ts'
import { GenerationId, nullable, oneOf, textByName, Timestamp } from './primitives.ts'
import { WebhookState } from './webhook.ts'

export const GENERATION_STATUSES = ['queued', 'running', 'canceling', 'succeeded', 'failed', 'canceled', 'expired'] as const
export type GenerationStatus = (typeof GENERATION_STATUSES)[number]
export const TERMINAL_STATUSES: readonly GenerationStatus[] = ['succeeded', 'failed', 'canceled', 'expired']

export const STAGES = ['queued', 'batching', 'sampling', 'encoding', 'uploading', 'waiting_for_model'] as const
export type Stage = (typeof STAGES)[number]

const Milliseconds = (description: string) => nullable(Type.Number({ minimum: 0, description }))

export const Progress = Type.Object(
  {
    scale: Type.Integer({ minimum: 0, description: 'Scales finished by every picture of the generation.' }),
    scales: Type.Integer({ minimum: 1, description: 'Scales to do: those of the model, or up to `stop_at_scale`.' }),
    tokens: Type.Integer({ minimum: 0, description: 'Tokens drawn so far, over all pictures.' }),
    tokens_total: Type.Integer({ minimum: 1 })
  },
  { $id: 'Progress', description: 'How far sampling has come. It never changes the status.' }
)
export type Progress = Static<typeof Progress>

export const GenerationOutput = Type.Object(
  {
    index: Type.Integer({ minimum: 0 }),
    seed: Type.Integer({ minimum: 0, description: 'Seed that alone reproduces this picture.' }),
    url: Type.String({ format: 'uri', description: 'Link to the picture, minted anew on every read.' }),
    url_expires_at: Timestamp('When `url` and `tokens_url` stop working.'),
    content_type: Type.String({ examples: ['image/png'] }),
    width: Type.Integer({ minimum: 1, description: 'Pixels.' }),
    height: Type.Integer({ minimum: 1, description: 'Pixels.' }),
    bytes: Type.Integer({ minimum: 1 }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    tokens_url: nullable(
      Type.String({
        format: 'uri',
        description:
          'Link to the drawn tokens, like `url`; only with `return_tokens`. A little-endian bit stream of `tokens_per_image` numbers (see the model), all scales one after another (of a draft, those up to `stop_at_scale`, and so fewer numbers), row by row in each. Each takes b = ceil(log2(`vocabulary_size`)) bits, least significant first: token i is `(N >> i * b) & (2^b - 1)`, where N is the whole file read as one little-endian number. The last byte is filled up with zeros: 680 tokens of a vocabulary of 4096 are 1,020 bytes.'
      })
    )
  },
  { $id: 'GenerationOutput' }
)

export const Preview = Type.Object(
  {
    index: Type.Integer({ minimum: 0, description: 'Which picture of the generation.' }),
    scale: Type.Integer({ minimum: 0, description: 'The scale after which it was made, counted from 0.' }),
    url: Type.String({ format: 'uri', description: 'Link to the preview, minted anew on every read.' }),
    url_expires_at: Timestamp('When `url` stops working.'),
    content_type: Type.String({ examples: ['image/webp'] }),
    width: Type.Integer({ minimum: 1, description: 'Pixels.' }),
    height: Type.Integer({ minimum: 1, description: 'Pixels.' }),
    bytes: Type.Integer({ minimum: 1 })
  },
  { $id: 'Preview', description: 'The running sum decoded after a scale: what the picture looks like so far.' }
)
export type Preview = Static<typeof Preview>

export const GENERATION_ERROR_CODES = [
  'invalid_job',
  'model_not_served',
  'sampler_failed',
  'sampler_crashed',
  'object_store_unavailable',
  'runner_lost',
  'deadline_exceeded',
  'internal_error'
] as const
export type GenerationErrorCode = (typeof GENERATION_ERROR_CODES)[number]

export const GenerationError = Type.Object(
  {
    code: oneOf(GENERATION_ERROR_CODES),
    message: Type.String(),
    retryable: Type.Boolean({ description: 'Whether posting the same request again may succeed.' })
  },
  { $id: 'GenerationError' }
)
export type GenerationError = Static<typeof GenerationError>

export const GenerationMetrics = Type.Object(
  {
    queue_ms: Milliseconds('Acceptance to the start of the last attempt.'),
    sample_ms: Milliseconds('All scales, as spent by the batches this generation was part of.'),
    scale_ms: nullable(
      Type.Array(Type.Number({ minimum: 0 }), {
        description: 'Milliseconds per scale; one number where a GPU runner does all scales at once.'
      })
    ),
    decode_ms: Milliseconds('Codes to pixels.'),
    preview_ms: Milliseconds('Previews: decoding, encoding and storing them; null without any.'),
    encode_ms: Milliseconds('Pixels to files.'),
    upload_ms: Milliseconds('Files to the object store.'),
    total_ms: Milliseconds('Acceptance to completion.'),
    batch_size: nullable(Type.Integer({ minimum: 1, description: 'Largest batch this generation’s pictures were sampled in.' }))
  },
  { $id: 'GenerationMetrics' }
)

export const Generation = Type.Object(
  {
    id: GenerationId,
    status: oneOf(GENERATION_STATUSES),
    stage: nullable(oneOf(STAGES)),
    model: Type.String(),
    input: GenerationInput,
    progress: nullable(Progress),
    queue: nullable(
      Type.Object({
        position: nullable(Type.Integer({ minimum: 0, description: 'Generations ahead of this one.' })),
        eta_ms: Milliseconds('Estimated time to completion.'),
        message: nullable(
          Type.String({
            description:
              'What it waits for beside its turn: with the stage `waiting_for_model`, a runner that serves its revision of the model.'
          })
        )
      })
    ),
    previews: Type.Array(Preview, { description: 'Coarse to fine, as they are stored.' }),
    outputs: Type.Array(GenerationOutput),
    error: nullable(GenerationError),
    metrics: GenerationMetrics,
    parent: nullable(
      Type.Object(
        { id: GenerationId, keep_scales: nullable(Type.Integer({ minimum: 1 })) },
        { description: 'The generation this one continues.' }
      )
    ),
    attempt: Type.Integer({ minimum: 0, description: 'Attempts started.' }),
    webhook: nullable(WebhookState),
    created_at: Timestamp('When the request was accepted.'),
    started_at: nullable(Timestamp('When the last attempt began.')),
    completed_at: nullable(Timestamp('When the generation reached its terminal status.')),
    expires_at: nullable(
      Timestamp(
        'When the finished generation can no longer be read, its links have stopped working, and its pictures are removed.'
      )
    ),
    urls: Type.Object({
      self: Type.String({ format: 'uri' }),
      cancel: Type.String({ format: 'uri' }),
      events: Type.String({
        format: 'uri',
        description:
          'Server-sent events. The link carries a token, so a browser can open it; it is minted anew on every read and works for an hour. Whoever opens it sees no `webhook`, `metadata` or `label`, and no link that outlives it.'
      })
    }),
    metadata: textByName(),
    label: nullable(Type.String())
  },
  { $id: 'Generation', description: 'A generation. Every key is always present; unknown is `null`.' }
)
export type Generation = Static<typeof Generation>
export type GenerationOutput = Static<typeof GenerationOutput>
export type GenerationMetrics = Static<typeof GenerationMetrics>

export const GenerationList = Type.Object(
  {
    data: Type.Array(Generation),
    next_cursor: nullable(Type.String({ description: 'Pass as `cursor` for the next page; `null` at the end.' }))
  },
  { $id: 'GenerationList', description: 'Newest first. With filters, a page may be shorter than `limit` before the end.' }
)
