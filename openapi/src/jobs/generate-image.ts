import Type, { type Static } from 'typebox'
import { type Priority, RETENTION_SECONDS } from '../schemas/generate-request.ts'
import { QueuedInput } from '../schemas/generation-input.ts'
import { GenerationError, GenerationMetrics, Progress, STAGES } from '../schemas/generation.ts'
import { nullable, oneOf, textByName } from '../schemas/primitives.ts'
import { QueuedWebhook } from '../schemas/webhook.ts'

/** What the API puts into the queue. New fields are optional for one release, since queued jobs outlive deploys. */
export const GenerateImagePayload = Type.Object({
  version: Type.Literal(1),
  /** Which of `JOB_KINDS` it is; left out by the release before this one. Runners of another release may know more of them, or fewer. */
  kind: Type.Optional(Type.String()),
  /** What that kind has beside the settings. */
  own: Type.Optional(Type.Unknown()),
  /** Id of the API key that owns the generation. */
  owner: Type.String(),
  input: QueuedInput,
  metadata: textByName(),
  label: nullable(Type.String()),
  /** Digest of the request that came with an idempotency key; the key itself is in the id. */
  request_hash: Type.Optional(nullable(Type.String())),
  /** Whom to tell; runners send the events that are no end. */
  webhook: Type.Optional(nullable(QueuedWebhook)),
  parent: Type.Optional(nullable(Type.Object({ id: Type.String(), keep_scales: nullable(Type.Integer({ minimum: 1 })) })))
})
export type GenerateImagePayload = Static<typeof GenerateImagePayload>

export const StoredOutput = Type.Object({
  index: Type.Integer({ minimum: 0 }),
  seed: Type.Integer({ minimum: 0 }),
  key: Type.String(),
  content_type: Type.String(),
  width: Type.Integer({ minimum: 1 }),
  height: Type.Integer({ minimum: 1 }),
  bytes: Type.Integer({ minimum: 1 }),
  sha256: Type.String(),
  /** Key of the drawn tokens; runners of the release before this one leave it out. */
  tokens_key: Type.Optional(nullable(Type.String()))
})
export type StoredOutput = Static<typeof StoredOutput>

export const StoredPreview = Type.Object({
  index: Type.Integer({ minimum: 0 }),
  scale: Type.Integer({ minimum: 0 }),
  key: Type.String(),
  content_type: Type.String(),
  width: Type.Integer({ minimum: 1 }),
  height: Type.Integer({ minimum: 1 }),
  bytes: Type.Integer({ minimum: 1 })
})
export type StoredPreview = Static<typeof StoredPreview>

const RunnerMetrics = Type.Object({
  ...Type.Omit(GenerationMetrics, ['queue_ms', 'total_ms', 'preview_ms']).properties,
  /** Runners of the release before this one leave it out. */
  preview_ms: Type.Optional(GenerationMetrics.properties.preview_ms)
})
export type RunnerMetrics = Static<typeof RunnerMetrics>

/** Return value of a job that ended as intended. A failed one carries a GenerationError as its reason. */
export const GenerateImageResult = Type.Union([
  Type.Object({ outcome: Type.Literal('succeeded'), outputs: Type.Array(StoredOutput), metrics: RunnerMetrics }),
  Type.Object({ outcome: Type.Literal('canceled'), reason: Type.Optional(oneOf(['deadline'])) }),
  Type.Object({ outcome: Type.Literal('expired') })
])
export type GenerateImageResult = Static<typeof GenerateImageResult>

/** BullMQ progress of the job. */
export const GenerateImageProgress = Type.Object({
  stage: oneOf(STAGES),
  progress: nullable(Progress),
  /** BullMQ's count of starts: what an earlier run left behind is not this one's. Runners of the release before this one leave it out. */
  run: Type.Optional(Type.Integer({ minimum: 1 })),
  /** Of one that waits: for what beside its turn, in words for the caller. Said with the stages `waiting_for_model` and `queued`. */
  message: Type.Optional(Type.String()),
  /** All previews stored so far in this attempt, in the order they were stored. */
  previews: Type.Optional(Type.Array(StoredPreview))
})
export type GenerateImageProgress = Static<typeof GenerateImageProgress>

/** What keeps a generation from being made that more time alone does not mend. */
export const HELD_UP = ['model_load_failed', 'model_not_served', 'object_store_unavailable'] as const
export type HeldUp = (typeof HELD_UP)[number]

/**
 * A caller’s wish to cancel, or the deadline that ended a job while it waited, kept beside the job. Whoever takes the job up after the mark was written ends it as
 * canceled, so a job that waits and has a mark is as good as canceled. The payload lets the generation be shown
 * once the waiting job itself has been taken out of the queue.
 */
export const CancelMark = Type.Object({
  canceled_at: Type.Integer({ description: 'Unix time in ms.' }),
  /**
   * The deadline that ended it, where nobody asked. Written only while the job waits, so it is the last word on the
   * generation: whoever takes the job up finds it.
   */
  outcome: Type.Optional(oneOf(['deadline', 'expired'])),
  /** What it waited for until then, where that was more than its turn. */
  held_up: Type.Optional(oneOf(HELD_UP)),
  created_at: Type.Integer({ description: 'Unix time in ms at which the generation was accepted.' }),
  payload: GenerateImagePayload
})
export type CancelMark = Static<typeof CancelMark>

/** The job: queue, payload, result, retry and timing in one value. */
export const generateImageJob = {
  queue: 'generate-image',
  payload: GenerateImagePayload,
  progress: GenerateImageProgress,
  result: GenerateImageResult,
  error: GenerationError,
  /** More than a deadline has room for: the runner's retry policy decides. Jobs of earlier releases have 10. */
  attempts: 1_000_000,
  /** The runner's retry policy computes the delay. */
  backoff: { type: 'custom' },
  /** What a job of each priority is put back by, in the units of 300 s that `virtualPriority` counts. */
  priority: { high: 0, normal: 1, low: 6 } satisfies Record<Priority, number>,
  /** How long a finished generation can be read, unless its request says otherwise. */
  retentionSeconds: RETENTION_SECONDS,
  /** How long its id is remembered after that, to answer 410 and not 404. */
  rememberSeconds: 30 * 86_400
} as const
