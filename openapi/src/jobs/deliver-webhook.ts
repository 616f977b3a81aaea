import Type, { type Static } from 'typebox'
import type { Generation } from '../schemas/generation.ts'
import { nullable, oneOf, Timestamp } from '../schemas/primitives.ts'
import { LIVE_WEBHOOK_EVENTS, TERMINAL_WEBHOOK_EVENTS, TEST_WEBHOOK_EVENT, WEBHOOK_EVENTS } from '../schemas/webhook.ts'
import { StoredOutput } from './generate-image.ts'

/**
 * A generation that was put aside. It is told as the release that wrote it has seen it, so no more is asked of it than what
 * decides whether it is told.
 */
const KeptGeneration = Type.Unsafe<Generation>(
  Type.Object({ status: Type.String(), completed_at: Timestamp('Its end.'), expires_at: Timestamp('End of its retention.') })
)

/** What is queued for the control process. New fields are optional for one release, since queued jobs outlive deploys. */
export const DeliverWebhookPayload = Type.Object({
  version: Type.Literal(1),
  /** Id of the API key whose secret signs it, and who may see it. */
  owner: Type.String(),
  /** `null` for a test. */
  generation_id: nullable(Type.String()),
  url: Type.String(),
  /** Base of absolute URLs, as the request saw the API. */
  base: Type.String(),
  /** `null`: the generation's end, whichever it will be. */
  event: nullable(oneOf([...LIVE_WEBHOOK_EVENTS, TEST_WEBHOOK_EVENT])),
  /** Of `generation.output`. */
  output: Type.Optional(StoredOutput),
  /** Of `generation.progress`: an event that a later one has overtaken is not sent. */
  progress: Type.Optional(Type.Object({ run: Type.Integer({ minimum: 1 }), scale: Type.Integer({ minimum: 0 }) })),
  /** Of the end: those that were asked for. */
  events: Type.Optional(Type.Array(oneOf(WEBHOOK_EVENTS))),
  /** Of the end, after a failed attempt: the generation without its pictures, should they be gone before it is delivered. */
  kept: Type.Optional(KeptGeneration)
})
export type DeliverWebhookPayload = Static<typeof DeliverWebhookPayload>

/** Return value of a delivery that was not given up. */
export const DeliverWebhookResult = Type.Object({
  outcome: oneOf(['delivered', 'skipped']),
  /** What was announced, or would have been. */
  event: oneOf([...LIVE_WEBHOOK_EVENTS, ...TERMINAL_WEBHOOK_EVENTS, TEST_WEBHOOK_EVENT])
})
export type DeliverWebhookResult = Static<typeof DeliverWebhookResult>

/** The job: queue, payload, result and timing in one value. That of a generation's end is the parent of the generation's. */
export const deliverWebhookJob = {
  queue: 'deliver-webhook',
  payload: DeliverWebhookPayload,
  result: DeliverWebhookResult,
  /** Upper bound on attempts; the control process gives up sooner by its own schedule. */
  attempts: 50,
  /** The control process computes the delay. */
  backoff: { type: 'custom' },
  /** How long a finished delivery can be read. */
  retentionSeconds: 30 * 86_400,
  /** Attempts on record of one delivery, the last ones: sending it again adds to them without end. */
  keptAttempts: 100
} as const
