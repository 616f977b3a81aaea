import { DEFAULT_JOB_KIND, type GenerateImagePayload, type KindPart } from '@nextscale/openapi'
import type { Caller } from '../../http/caller.ts'
import { ProblemError } from '../../http/problem.ts'
import type { Services } from '../../services.ts'
import type { RequestTrace } from '../../tracing/request-trace.ts'
import { type Found, requireFound } from '../find.ts'
import type { Addition } from '../enqueue.ts'
import { keyedGenerationId, newGenerationId } from '../id.ts'
import { type JobSnapshot, payloadOf, type Snapshot } from '../snapshot.ts'
import type { Asked } from './asked.ts'
import { checkPicture } from './picture.ts'
import { requestHash } from './request-hash.ts'

/** What is to be made, its settings filled in. Without a kind it is drawn from these alone. */
export type Resolved = Pick<GenerateImagePayload, 'input' | 'metadata' | 'label' | 'webhook' | 'parent'> &
  (KindPart | { kind?: never; own?: never })

/** Who asks for a generation, and for what. */
export interface Wanted {
  caller: Caller
  asked: Asked
  /** What a repeated idempotency key must mean again: the operation and all that it was given. */
  meaning: object
  /** Where traces are made: that of the request. */
  trace: RequestTrace | undefined
}

export interface Made {
  found: Found
  /** Whether its idempotency key had made it before. */
  isReplayed: boolean
}

/** What reading the job back would give, without reading it back. */
const justQueued = ({ id, pool, payload, createdAt }: Addition): JobSnapshot => ({
  kind: 'job',
  id,
  pool,
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

/** What was made with the key before. Throws when that was for another request, is gone, or cannot be answered as asked. */
const replayed = (id: string, hash: string, snapshot: Snapshot, { asked }: Wanted): Made => {
  const found = requireFound(id, snapshot)
  const payload = payloadOf(found.snapshot)
  if (payload.request_hash !== hash) throw mismatch()
  checkPicture(asked.picture, payload.input)
  return { found, isReplayed: true }
}

/** Finds what the idempotency key of a request has made before: a replay is not refused for a full queue or a model that is gone by now. */
export const findMade = async ({ reader }: Pick<Services, 'reader'>, wanted: Wanted): Promise<Made | undefined> => {
  const { owner } = wanted.caller
  if (wanted.asked.key === undefined) return undefined
  const id = keyedGenerationId(owner, wanted.asked.key)
  const before = await reader.read(owner, id)
  return before.kind === 'unknown' ? undefined : replayed(id, requestHash(wanted.meaning), before, wanted)
}

/** Adds a job; where traces are made, as a part of the request's, which the job then goes on in. */
const publish = <T>(trace: RequestTrace | undefined, id: string, add: (carrier?: string) => Promise<T>): Promise<T> =>
  trace ? trace.publish(id, add) : add()

type MakeContext = Pick<Services, 'reader' | 'enqueue' | 'inFlight'>

const makeKeyed = async (
  context: MakeContext,
  key: string,
  wanted: Wanted,
  { pool, payload: unhashed }: Pick<Addition, 'pool' | 'payload'>
): Promise<Made> => {
  const { caller, meaning, trace } = wanted
  const { owner } = caller
  const id = keyedGenerationId(owner, key)
  const hash = requestHash(meaning)
  const payload = { ...unhashed, request_hash: hash }
  // A place is taken once per id; that of a generation which another request just made with the key is its own.
  const { isNew, snapshot } = await context.inFlight.withPlace(caller, id, () =>
    publish(trace, id, (carrier) => context.enqueue.addKeyed({ id, pool, payload, createdAt: Date.now(), carrier }))
  )
  if (isNew) return { found: requireFound(id, snapshot), isReplayed: false }
  // Another request made it just now; how it is announced by then was not read with it.
  return replayed(id, hash, payload.webhook ? await context.reader.read(owner, id) : snapshot, wanted)
}

/** Puts a new generation into the queue. */
export const make = async (
  context: MakeContext & Pick<Services, 'depth' | 'placement'>,
  wanted: Wanted,
  resolved: Resolved
): Promise<Made> => {
  const { caller, asked, trace } = wanted
  const payload: GenerateImagePayload = { version: 1, kind: DEFAULT_JOB_KIND, owner: caller.owner, ...resolved }
  checkPicture(asked.picture, payload.input)
  const pool = await context.placement.choose(payload.input)
  await context.depth.admit(asked.bytes, pool)
  if (asked.key !== undefined) return makeKeyed(context, asked.key, wanted, { pool, payload })
  const addition = { id: newGenerationId(), pool, payload, createdAt: Date.now() }
  const { id } = addition
  await context.inFlight.withPlace(caller, id, () =>
    publish(trace, id, (carrier) => context.enqueue.add({ ...addition, carrier }))
  )
  return { found: { snapshot: justQueued(addition), standing: { status: 'queued' } }, isReplayed: false }
}
