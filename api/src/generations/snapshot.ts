import { CancelMark, type DeliveryStatus, GenerateImagePayload, GenerateImageProgress } from '@nextscale/openapi'
import { jsonParserOf } from '../parser.ts'
import type { GenerationReply } from '../redis/read-generation.ts'

/** How far the announcement of an end has come. */
export interface DeliverySummary {
  status: DeliveryStatus
  attempts: number
}

/** A job as BullMQ holds it, parsed, with the cancel mark beside it. */
export interface JobSnapshot {
  kind: 'job'
  id: string
  /** Whose queue has it. */
  pool: string
  payload: GenerateImagePayload
  /** Where an unfinished job is. */
  place: 'active' | 'waiting' | 'none'
  /** Jobs ahead of a waiting one, as far as that is known. */
  ahead: number | null
  createdAt: number
  startedAt: number | null
  finishedAt: number | null
  /** JSON of the result of a job that ended as intended. */
  returnValue: string | null
  failedReason: string | null
  progress: GenerateImageProgress | null
  /** Attempts started, without those a stopping runner handed back. */
  attempt: number
  /** Times a runner has started on it, handed back ones included: it only grows. */
  runs: number
  mark: CancelMark | null
  /** Of one that has ended and is announced. */
  delivery?: DeliverySummary
}

export type Snapshot =
  | JobSnapshot
  /** Canceled while it waited: the job has been taken out of the queue, the mark tells what it was. */
  | { kind: 'removed'; id: string; mark: CancelMark; delivery?: DeliverySummary }
  /** The id was issued, but nothing is left of it. */
  | { kind: 'gone' }
  | { kind: 'unknown' }
  /** There is a job whose payload this release cannot read. */
  | { kind: 'unreadable'; id: string }

export type LiveSnapshot = Extract<Snapshot, { kind: 'job' | 'removed' }>

/** What was queued, whether the job is still there or only its mark. */
export const payloadOf = (snapshot: LiveSnapshot): GenerateImagePayload =>
  snapshot.kind === 'job' ? snapshot.payload : snapshot.mark.payload

const parsePayload = jsonParserOf(GenerateImagePayload)
const parseMark = jsonParserOf(CancelMark)
const parseProgress = jsonParserOf(GenerateImageProgress)

const numberOrNull = (text: string | null) => (text === null ? null : Number(text))

/** Reads the script's reply. What belongs to someone else does not exist. */
export const toSnapshot = (id: string, owner: string, reply: GenerationReply): Snapshot => {
  const { pool, place, ahead, data, progress, returnValue, failedReason } = reply
  const mark = reply.mark === null ? null : (parseMark(reply.mark) ?? null)
  if (data === null) {
    if (mark?.payload.owner === owner) return { kind: 'removed', id, mark }
    return reply.remembered === 1 ? { kind: 'gone' } : { kind: 'unknown' }
  }
  const payload = parsePayload(data)
  if (payload === undefined) return { kind: 'unreadable', id }
  if (payload.owner !== owner) return { kind: 'unknown' }
  return {
    kind: 'job',
    id,
    pool,
    payload,
    place,
    ahead: ahead < 0 ? null : ahead,
    createdAt: Number(reply.timestamp),
    startedAt: numberOrNull(reply.processedOn),
    finishedAt: numberOrNull(reply.finishedOn),
    returnValue,
    failedReason,
    progress: progress === null ? null : (parseProgress(progress) ?? null),
    attempt: Number(reply.attemptsEnded ?? 0) + Number(reply.runnersLost ?? 0) + (place === 'active' ? 1 : 0),
    runs: Number(reply.starts ?? 0),
    mark
  }
}
