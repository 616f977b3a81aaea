import {
  type CancelMark,
  completeInput,
  type GenerateImagePayload,
  generateImageJob,
  type Lapse,
  lapseOf,
  type RedisKeys
} from '@nextscale/openapi'
import type { Redis } from 'ioredis'
import { heldUpBy } from './held-up.ts'
import type { RemoveMarked } from './remove-marked.ts'
import type { JobSnapshot, Snapshot } from './snapshot.ts'

interface LapseContext {
  redis: Redis
  removeMarked: RemoveMarked
  keys: RedisKeys
}

export interface Lapsed {
  snapshot: JobSnapshot
  lapse: Lapse
}

/** How long a mark is kept: as long as its generation is shown, and remembered. */
export const markSeconds = ({ input }: GenerateImagePayload): number =>
  completeInput(input).retention_seconds + generateImageJob.rememberSeconds

/** The waiting job whose deadline has passed by the clock of Redis; undefined for any other. */
export const lapsedJob = (snapshot: Snapshot, now: number): Lapsed | undefined => {
  if (snapshot.kind !== 'job' || snapshot.place !== 'waiting' || snapshot.mark !== null) return undefined
  const { payload, createdAt, startedAt } = snapshot
  const lapse = lapseOf(completeInput(payload.input), createdAt, startedAt !== null, now)
  return lapse ? { snapshot, lapse } : undefined
}

/**
 * Puts the end of a waiting job on record, so that it stays ended whoever takes the job up, and takes it out of the queue.
 * What cannot be recorded has not ended yet: it waits until somebody can.
 */
export type RecordLapse = (lapsed: Lapsed) => Promise<void>

export const createRecordLapse =
  ({ redis, keys, removeMarked }: LapseContext): RecordLapse =>
  async ({ snapshot, lapse }) => {
    const { id, payload, createdAt } = snapshot
    const heldUp = heldUpBy(snapshot)
    const mark: CancelMark = {
      canceled_at: lapse.at,
      outcome: lapse.outcome,
      ...(heldUp !== undefined && { held_up: heldUp }),
      created_at: createdAt,
      payload
    }
    const places = [keys.cancelMark(id), keys.unreleased, keys.pools] as const
    const isMarked = await redis.markLapsed(...places, JSON.stringify(mark), markSeconds(payload), id).catch(() => 0)
    // A runner that took it up meanwhile ends it. If this fails, the next one does, or the sweep.
    if (isMarked === 1) await removeMarked(id).catch(() => undefined)
  }
