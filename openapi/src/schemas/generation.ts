import Type, { type Static } from 'typebox'
import { describeKinds, JOB_KIND_NAMES } from '../jobs/kinds.ts'
import { GenerationInput } from './generation-input.ts'
import { described, GenerationId, nullable, oneOf, textByName, Timestamp } from './primitives.ts'
import { WebhookState } from './webhook.ts'

export const GENERATION_STATUSES = ['queued', 'running', 'canceling', 'succeeded', 'failed', 'canceled', 'expired'] as const
export type GenerationStatus = (typeof GENERATION_STATUSES)[number]
export const TERMINAL_STATUSES: readonly GenerationStatus[] = ['succeeded', 'failed', 'canceled', 'expired']

export const STAGES = ['queued', 'batching', 'loading_model', 'sampling', 'encoding', 'uploading', 'waiting_for_model'] as const
export type Stage = (typeof STAGES)[number]

const Milliseconds = (description: string) => nullable(Type.Number({ minimum: 0, description }))

export const Progress = Type.Object(
  {
    scale: Type.Integer({ minimum: 0, description: 'Scales finished by every picture of the generation.' }),
    scales: Type.Integer({ minimum: 1, description: 'Scales to do: those of the model, or up to `stop_at_scale`.' }),
    tokens: Type.Integer({ minimum: 0, description: 'Tokens drawn so far, over all pictures.' }),
    tokens_total: Type.Integer({ minimum: 1, description: 'Tokens to draw, over all pictures.' })
  },
  { $id: 'Progress', description: 'How far sampling has come. It never changes the status.' }
)
export type Progress = Static<typeof Progress>

export const GenerationOutput = Type.Object(
  {
    index: Type.Integer({ minimum: 0, description: 'Which picture of the generation, counted from 0.' }),
    seed: Type.Integer({ minimum: 0, description: 'Seed that alone reproduces this picture.' }),
    url: Type.String({ format: 'uri', description: 'Link to the picture, minted anew on every read.' }),
    url_expires_at: Timestamp('When `url` and `tokens_url` stop working.'),
    content_type: Type.String({ description: 'Media type of the file.', examples: ['image/png'] }),
    width: Type.Integer({ minimum: 1, description: 'Width in pixels.' }),
    height: Type.Integer({ minimum: 1, description: 'Height in pixels.' }),
    bytes: Type.Integer({ minimum: 1, description: 'Size of the file.' }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of the file, in hexadecimal digits.' }),
    tokens_url: nullable(
      Type.String({
        format: 'uri',
        description:
          'Link to the drawn tokens, like `url`; only with `return_tokens`. Of a model with a `vocabulary_size`, a little-endian bit stream of as many numbers as the `scales` of the model have tokens, `height` times `width` each: all scales one after another (of a draft, those up to `stop_at_scale`), row by row in each. Each takes b = ceil(log2(`vocabulary_size`)) bits, least significant first: token i is `(N >> i * b) & (2^b - 1)`, where N is the whole file read as one little-endian number. The last byte is filled up with zeros: 680 tokens of a vocabulary of 4096 are 1,020 bytes. Models without a `vocabulary_size` pack theirs in a way of their family.'
      })
    )
  },
  { $id: 'GenerationOutput', description: 'A picture, and the link to it.' }
)

export const Preview = Type.Object(
  {
    index: Type.Integer({ minimum: 0, description: 'Which picture of the generation.' }),
    scale: Type.Integer({ minimum: 0, description: 'The scale after which it was made, counted from 0.' }),
    url: Type.String({ format: 'uri', description: 'Link to the preview, minted anew on every read.' }),
    url_expires_at: Timestamp('When `url` stops working.'),
    content_type: Type.String({ description: 'Media type of the file.', examples: ['image/webp'] }),
    width: Type.Integer({ minimum: 1, description: 'Width in pixels.' }),
    height: Type.Integer({ minimum: 1, description: 'Height in pixels.' }),
    bytes: Type.Integer({ minimum: 1, description: 'Size of the file.' })
  },
  { $id: 'Preview', description: 'The running sum decoded after a scale: what the picture looks like so far.' }
)
export type Preview = Static<typeof Preview>

export const GENERATION_ERROR_CODES = [
  'invalid_job',
  'model_not_served',
  'sampler_failed',
  'sampler_crashed',
  'model_load_failed',
  'object_store_unavailable',
  'runner_lost',
  'deadline_exceeded',
  'internal_error'
] as const
export type GenerationErrorCode = (typeof GENERATION_ERROR_CODES)[number]

export const GenerationError = Type.Object(
  {
    code: oneOf(GENERATION_ERROR_CODES, { description: 'What went wrong; stable.' }),
    message: Type.String({ description: 'What went wrong, in a sentence.' }),
    retryable: Type.Boolean({ description: 'Whether posting the same request again may succeed.' })
  },
  { $id: 'GenerationError', description: 'Why a generation failed.' }
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
  { $id: 'GenerationMetrics', description: 'Where the time went; what is not known is `null`.' }
)

const Queue = Type.Object(
  {
    position: nullable(Type.Integer({ minimum: 0, description: 'Generations ahead of this one.' })),
    eta_ms: Milliseconds('Estimated time to completion.'),
    message: nullable(
      Type.String({
        description:
          'What it waits for beside its turn: a runner that serves its revision of the model while none is up, or, with the stage `waiting_for_model`, one that serves it or can load it; else, for example, an object store that is away.'
      })
    )
  },
  { $id: 'GenerationQueue', description: 'Its place in the queue.' }
)

const Parent = Type.Object(
  {
    id: GenerationId,
    keep_scales: nullable(
      Type.Integer({ minimum: 1, description: 'How many of its scales were kept; `null`: it was taken further.' })
    )
  },
  { $id: 'GenerationParent', description: 'The generation that another one continues.' }
)

const Urls = Type.Object(
  {
    self: Type.String({ format: 'uri', description: 'The generation; with `?wait=` the answer is held until it has ended.' }),
    cancel: Type.String({ format: 'uri', description: 'POST here to cancel it.' }),
    events: Type.String({
      format: 'uri',
      description:
        'Server-sent events. The link carries a token, so a browser can open it; it is minted anew on every read and works for an hour. Whoever opens it sees no `webhook`, `metadata` or `label`, and no link that outlives it.'
    })
  },
  { $id: 'GenerationUrls', description: 'Where a generation is read, canceled and followed.' }
)

export const Generation = Type.Object(
  {
    id: GenerationId,
    kind: oneOf(JOB_KIND_NAMES, { description: `What kind of work it is: ${describeKinds()}.` }),
    status: oneOf(GENERATION_STATUSES, {
      description: 'How it stands. `succeeded`, `failed`, `canceled` and `expired` are terminal: nothing changes after them.'
    }),
    stage: nullable(
      oneOf(STAGES, {
        description:
          'What is done with it; `null` when it is terminal. `loading_model`: its runner has more models than memory, and loads the one it needs.'
      })
    ),
    model: Type.String({ description: 'Id of the model that draws it.' }),
    input: described(GenerationInput, 'The settings in force, defaults filled in.'),
    progress: nullable(Progress, 'How far sampling has come; `null` before it begins.'),
    queue: nullable(Queue, 'Its place in the queue; `null` once it has left it.'),
    previews: Type.Array(Preview, { description: 'Coarse to fine, as they are stored.' }),
    outputs: Type.Array(GenerationOutput, { description: 'The pictures, all at once when it has succeeded; empty until then.' }),
    error: nullable(GenerationError, 'Why it failed; `null` unless it did.'),
    metrics: described(GenerationMetrics, 'Where the time went.'),
    parent: nullable(Parent, 'The generation this one continues; `null` where it continues none.'),
    attempt: Type.Integer({ minimum: 0, description: 'Attempts started.' }),
    webhook: nullable(WebhookState, 'Whom its end is announced to; `null`: nobody.'),
    created_at: Timestamp('When the request was accepted.'),
    started_at: nullable(Timestamp('When the last attempt began.')),
    completed_at: nullable(Timestamp('When the generation reached its terminal status.')),
    expires_at: nullable(
      Timestamp(
        'When the finished generation can no longer be read, its links have stopped working, and its pictures are removed.'
      )
    ),
    urls: described(Urls, 'Where it is read, canceled and followed.'),
    metadata: textByName({}, { description: 'The caller’s own texts, as they were sent with the request.' }),
    label: nullable(Type.String({ description: 'The caller’s own label.' }))
  },
  { $id: 'Generation', description: 'A generation. Every key is always present; unknown is `null`.' }
)
export type Generation = Static<typeof Generation>
export type GenerationOutput = Static<typeof GenerationOutput>
export type GenerationMetrics = Static<typeof GenerationMetrics>

export const GenerationList = Type.Object(
  {
    data: Type.Array(Generation, { description: 'The generations of this page.' }),
    next_cursor: nullable(Type.String({ description: 'Pass as `cursor` for the next page; `null` at the end.' }))
  },
  { $id: 'GenerationList', description: 'Newest first. With filters, a page may be shorter than `limit` before the end.' }
)
