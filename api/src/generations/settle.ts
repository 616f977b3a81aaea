import { GenerateImageResult, GenerationError, generateImageJob, type RunnerMetrics, type StoredOutput } from '@nextscale/openapi'
import { jsonParserOf } from '../parser.ts'
import type { JobSnapshot, Snapshot } from './snapshot.ts'

/** Where a generation stands. Terminal ones say since when. */
export type Standing =
  | { status: 'queued' | 'running' | 'canceling' }
  | { status: 'succeeded'; at: number; outputs: StoredOutput[]; metrics: RunnerMetrics }
  | { status: 'failed'; at: number; error: GenerationError }
  | { status: 'canceled' | 'expired'; at: number }

export type LiveSnapshot = Extract<Snapshot, { kind: 'job' | 'removed' }>

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
  if (result.outcome === 'canceled') return { status: 'canceled', at: canceledAt(job, at) }
  return { status: 'expired', at }
}

/** Decides the status. The job itself has the last word; a mark counts only until then. */
export const settle = (snapshot: LiveSnapshot): Standing => {
  if (snapshot.kind === 'removed') return { status: 'canceled', at: snapshot.mark.canceled_at }
  if (snapshot.finishedAt !== null) return finished(snapshot, snapshot.finishedAt)
  if (snapshot.place === 'active') return { status: snapshot.mark ? 'canceling' : 'running' }
  // Whoever takes a marked job up ends it as canceled, so one that waits already is.
  return snapshot.mark ? { status: 'canceled', at: snapshot.mark.canceled_at } : { status: 'queued' }
}

export const isTerminal = (standing: Standing): standing is Extract<Standing, { at: number }> => 'at' in standing

/** When a terminal generation is no longer shown, in ms. */
export const expiryOf = (at: number): number => at + generateImageJob.retentionSeconds * 1000

/** Whether its retention is over: BullMQ evicts late, so this decides and not whether the job is still there. */
export const isOver = (standing: Standing, now: number): boolean => isTerminal(standing) && now >= expiryOf(standing.at)
