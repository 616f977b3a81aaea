import { type GenerateImagePayload, generateImageJob, MAX_RETENTION_SECONDS, virtualPriority } from '@nextscale/openapi'

/** A generation that is to be added to the queue. */
export interface Addition {
  id: string
  payload: GenerateImagePayload
  createdAt: number
  /** The trace that the job goes on in. */
  carrier: string | undefined
}

const { attempts, backoff, priority, queue: jobName } = generateImageJob
/** BullMQ measures all jobs by the age of the one that finishes, so this is no less than any may ask for. The sweep is exact. */
const kept = { age: MAX_RETENTION_SECONDS }

/** A generation as BullMQ takes it. */
export const toJob = ({ id, payload, createdAt, carrier }: Addition) => ({
  name: jobName,
  data: payload,
  opts: {
    jobId: id,
    timestamp: createdAt,
    priority: virtualPriority(priority, payload.input.priority, createdAt),
    attempts,
    backoff,
    removeOnComplete: kept,
    removeOnFail: kept,
    // For each job its own: requests of different traces are added together.
    ...(carrier !== undefined && { telemetry: { metadata: carrier } })
  }
})
