import {
  type CancelMark,
  completeInput,
  GenerateImageResult,
  GenerationError,
  type HeldUp,
  type RunnerMetrics,
  type StoredOutput
} from '@nextscale/openapi'
import { jsonParserOf } from '../contract/parser.ts'
import { heldUpBy } from './held-up.ts'
import { type JobSnapshot, type LiveSnapshot, payloadOf } from './snapshot.ts'

/** Where a generation stands. Terminal ones say since when. */
export type Standing =
  | { status: 'queued' | 'running' | 'canceling' }
  | { status: 'succeeded'; at: number; outputs: StoredOutput[]; metrics: RunnerMetrics }
  | { status: 'failed'; at: number; error: GenerationError }
  /** With an error when nobody asked for it: a deadline passed. */
  | { status: 'canceled'; at: number; error: GenerationError | null }
  | { status: 'expired'; at: number }

const parseResult = jsonParserOf(GenerateImageResult)
const parseError = jsonParserOf(GenerationError)

const INTERNAL: GenerationError = {
  code: 'internal_error',
  message: 'Something broke while the pictures were made. Posting the request again may help.',
  retryable: true
}

const RUNNER_LOST: GenerationError = {
  code: 'runner_lost',
  message: 'The runners that worked on this generation were lost before they finished. Post the request again.',
  retryable: true
}

/** Why, and what helps. */
const AFTER_DEADLINE: Readonly<Record<HeldUp, string>> = {
  model_load_failed:
    ': the runner that had it could not load its model. That is for the operator to mend; ask for another model, or post the request again later.',
  model_not_served:
    ': no runner that was up served its revision of the model. Post the request again, for the revision that is served by then.',
  object_store_unavailable: ': its pictures could not be stored, since the object store was away. Post the request again later.'
}

const deadlineExceeded = (heldUp: HeldUp | undefined): GenerationError => {
  const why = heldUp === undefined ? '. Post the request again, with more of them if need be.' : AFTER_DEADLINE[heldUp]
  return {
    code: 'deadline_exceeded',
    message: `The generation was not finished within its deadline_seconds${why}`,
    retryable: true
  }
}

/** Reasons are written by runners as JSON, except those BullMQ gives itself. */
const toError = (reason: string | null): GenerationError => {
  if (reason === null) return INTERNAL
  if (reason.includes('stalled more than allowable limit')) return RUNNER_LOST
  return parseError(reason) ?? INTERNAL
}

/** A job that was marked while it waited was canceled then, even if a runner put that on record later. */
const canceledAt = (job: JobSnapshot, finishedAt: number): number => {
  const { mark, startedAt } = job
  return mark !== null && (startedAt === null || mark.canceled_at <= startedAt) ? mark.canceled_at : finishedAt
}

const finished = (job: JobSnapshot, at: number): Standing => {
  if (job.returnValue === null) return { status: 'failed', at, error: toError(job.failedReason) }
  const result = parseResult(job.returnValue)
  if (result === undefined) return { status: 'failed', at, error: INTERNAL }
  if (result.outcome === 'succeeded') return { status: 'succeeded', at, outputs: result.outputs, metrics: result.metrics }
  if (result.outcome === 'canceled') {
    return {
      status: 'canceled',
      at: canceledAt(job, at),
      error: result.reason === 'deadline' ? deadlineExceeded(heldUpBy(job)) : null
    }
  }
  return { status: 'expired', at }
}

const marked = ({ outcome, held_up: heldUp, canceled_at: at }: CancelMark): Standing =>
  outcome === 'expired'
    ? { status: 'expired', at }
    : { status: 'canceled', at, error: outcome === 'deadline' ? deadlineExceeded(heldUp) : null }

/**
 * Decides the status. The job itself has the last word, and a caller's mark counts only until then; but one that a deadline
 * ended while it waited stays as it ended, also while a runner that took it up is putting it away.
 */
export const settle = (snapshot: LiveSnapshot): Standing => {
  const { mark } = snapshot
  if (snapshot.kind === 'removed') return marked(snapshot.mark)
  if (mark?.outcome !== undefined) return marked(mark)
  if (snapshot.finishedAt !== null) return finished(snapshot, snapshot.finishedAt)
  if (snapshot.place === 'active') return { status: mark ? 'canceling' : 'running' }
  // Whoever takes a marked job up ends it as canceled, so one that waits already is.
  return mark ? marked(mark) : { status: 'queued' }
}

export const isTerminal = (standing: Standing): standing is Extract<Standing, { at: number }> => 'at' in standing

/** When a terminal generation is no longer shown, in ms. */
export const expiryOf = (snapshot: LiveSnapshot, at: number): number => {
  return at + completeInput(payloadOf(snapshot).input).retention_seconds * 1000
}

/** Whether its retention is over: jobs are removed late, so this decides and not whether the job is still there. */
export const isOver = (snapshot: LiveSnapshot, standing: Standing, now: number): boolean =>
  isTerminal(standing) && now >= expiryOf(snapshot, standing.at)
