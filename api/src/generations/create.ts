import type { GenerateImagePayload } from '@nextscale/openapi'
import type { ImageFormat } from '../http/accept.ts'
import type { Caller } from '../http/caller.ts'
import { ProblemError } from '../http/problem.ts'
import type { Services } from '../services.ts'
import type { RequestTrace } from '../tracing/request-trace.ts'
import type { Creation } from './answer-created.ts'
import { type Found, requireFound } from './find.ts'
import { keyedGenerationId, newGenerationId } from './id.ts'
import { requestHash } from './request-hash.ts'
import { type JobSnapshot, payloadOf, type Snapshot } from './snapshot.ts'

interface CreateOptions {
  caller: Caller
  /** The idempotency key, if there is one. */
  key: string | undefined
  creation: Creation
  /** Size of the request's body. */
  bytes: number
  format: ImageFormat | undefined
  /** Where traces are made: that of the request. */
  trace: RequestTrace | undefined
  /** Throws when what is made, or was made, cannot be answered as asked. */
  check: (payload: GenerateImagePayload) => void
}

export interface Created {
  found: Found
  isReplayed: boolean
}

/** What reading the job back would give, without reading it back. */
const justQueued = (id: string, payload: GenerateImagePayload, createdAt: number): JobSnapshot => ({
  kind: 'job',
  id,
  payload,
  place: 'waiting',
  ahead: null,
  createdAt,
  startedAt: null,
  finishedAt: null,
  returnValue: null,
  failedReason: null,
  progress: null,
  attempt: 0,
  runs: 0,
  mark: null
})

const mismatch = () => {
  const detail =
    'This key was used for another request. Send a new key with a new request, and the same key only to repeat one unchanged.'
  return new ProblemError('idempotency_mismatch', detail, { errors: [{ pointer: '/headers/idempotency-key', detail }] })
}

/** What was made with the key before. Throws when that was for another request, or is gone. */
const replayed = (id: string, hash: string, snapshot: Snapshot, { check }: CreateOptions): Created => {
  const found = requireFound(id, snapshot)
  const payload = payloadOf(found.snapshot)
  if (payload.request_hash !== hash) throw mismatch()
  check(payload)
  return { found, isReplayed: true }
}

const makePayload = async ({ caller, creation, format, check }: CreateOptions): Promise<GenerateImagePayload> => {
  const payload: GenerateImagePayload = { version: 1, owner: caller.owner, ...(await creation.resolve(format)) }
  check(payload)
  return payload
}

/** Adds a job; where traces are made, as a part of the request's, which the job then goes on in. */
const publish = <T>(trace: RequestTrace | undefined, id: string, add: (carrier?: string) => Promise<T>): Promise<T> =>
  trace ? trace.publish(id, add) : add()

const createKeyed = async (services: Services, key: string, options: CreateOptions): Promise<Created> => {
  const { caller, creation, format } = options
  const { owner } = caller
  const id = keyedGenerationId(owner, key)
  const hash = requestHash(creation.asked(format))
  // Looked up first, so that a replay is not refused for a full queue or a model that is gone by now.
  const before = await services.reader.read(owner, id)
  if (before.kind !== 'unknown') return replayed(id, hash, before, options)
  const payload = { ...(await makePayload(options)), request_hash: hash }
  await services.depth.admit(options.bytes)
  // A place is taken once per id; that of a generation which another request just made with the key is its own.
  const { isNew, snapshot } = await services.inFlight.hold(caller, id, () =>
    publish(options.trace, id, (carrier) => services.enqueueKeyed(id, payload, Date.now(), carrier))
  )
  if (isNew) return { found: requireFound(id, snapshot), isReplayed: false }
  // Another request made it just now; how it is announced by then was not read with it.
  return replayed(id, hash, payload.webhook ? await services.reader.read(owner, id) : snapshot, options)
}

/** Puts a new generation into the queue, or finds the one that its idempotency key made before. */
export const createOrReplay = async (services: Services, options: CreateOptions): Promise<Created> => {
  if (options.key !== undefined) return createKeyed(services, options.key, options)
  const payload = await makePayload(options)
  await services.depth.admit(options.bytes)
  const id = newGenerationId()
  const createdAt = Date.now()
  await services.inFlight.hold(options.caller, id, () =>
    publish(options.trace, id, (carrier) => services.enqueue(id, payload, createdAt, carrier))
  )
  return { found: { snapshot: justQueued(id, payload, createdAt), standing: { status: 'queued' } }, isReplayed: false }
}
