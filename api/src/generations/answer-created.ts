import type { Generation, GenerateImagePayload } from '@nextscale/openapi'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Acceptance, type ImageFormat, readAccept } from '../http/accept.ts'
import type { Caller } from '../http/caller.ts'
import { preferredWait } from '../http/prefer.ts'
import { underSignal } from '../http/under-signal.ts'
import { baseUrl, generationUrl } from '../http/urls.ts'
import type { Services } from '../services.ts'
import { checkPicture, requireAnswerable, sendPicture } from './answer-picture.ts'
import { createOrReplay } from './create.ts'
import { createEta, retryAfterSeconds } from './estimate.ts'
import { find, type Found } from './find.ts'
import { toGeneration } from './resource.ts'
import { isTerminal } from './settle.ts'
import { waitUntilTerminal } from './wait.ts'

/** What an operation that makes a generation knows about the request. */
export interface Creation {
  /** What was asked for, the operation and everything beside the body included: a repeated key must mean the same. */
  asked: (format: ImageFormat | undefined) => object
  /** Format the body names. */
  format: ImageFormat | undefined
  /** Fills in what is left out. `format` is what the body or `Accept` names. Not called for a replay. */
  resolve: (format: ImageFormat | undefined) => Promise<Pick<GenerateImagePayload, 'input' | 'metadata' | 'label' | 'parent'>>
}

type CreationRequest = Pick<FastifyRequest, 'id' | 'log' | 'protocol' | 'host' | 'trace'> & {
  headers: { accept?: string | undefined; prefer?: string; 'idempotency-key'?: string }
}

interface Wait {
  id: string
  caller: Caller
  reply: FastifyReply
  seconds: number
}

const waitFor = async ({ events, reader, streams, closing }: Services, { id, caller, reply, seconds }: Wait): Promise<Found> => {
  const leave = await streams.enter(caller)
  const read = () => find(reader, caller.owner, id)
  const waiting = (signal: AbortSignal) => waitUntilTerminal({ id, read, events, timeoutMs: seconds * 1000, signal })
  return underSignal(reply, closing.signal, waiting).finally(leave)
}

/** Format of the picture to answer with; a body that names another one than is accepted leaves JSON, if that is. */
const formatOf = ({ json, formats }: Acceptance, named: ImageFormat | undefined): ImageFormat | undefined => {
  const wanted = named === undefined ? formats[0] : formats.find((format) => format === named)
  if (wanted !== undefined) return wanted
  requireAnswerable(json, formats, named)
  return undefined
}

const tellAccepted = ({ metrics }: Services, { id, log }: CreationRequest, { snapshot }: Found): void => {
  const { input } = snapshot.kind === 'job' ? snapshot.payload : snapshot.mark.payload
  metrics.accepted(input.model, input.priority)
  log.debug({ request_id: id, generation: snapshot.id, model: input.model }, 'accepted')
}

/**
 * Makes a generation, or finds the one its idempotency key made, and answers: at once, or when it is terminal and a wait is
 * preferred. With an image in `Accept` it waits as long as waits may be, and answers with the picture.
 */
export const createAndAnswer = async (
  services: Services,
  request: CreationRequest,
  reply: FastifyReply,
  caller: Caller,
  creation: Creation
): Promise<Generation | FastifyReply> => {
  const picture = formatOf(readAccept(request.headers.accept), creation.format)
  const format = creation.format ?? picture
  const check = (payload: GenerateImagePayload) => checkPicture(picture, payload.input)
  const key = request.headers['idempotency-key']
  const created = await createOrReplay(services, { caller, key, creation, format, check, trace: request.trace })
  if (!created.isReplayed) tellAccepted(services, request, created.found)
  const preferred = preferredWait(request.headers.prefer, services.config.maxWaitSeconds)
  const seconds = preferred ?? (picture === undefined ? 0 : services.config.maxWaitSeconds)
  const isWaited = seconds > 0 && !isTerminal(created.found.standing)
  const found = isWaited ? await waitFor(services, { id: created.found.snapshot.id, caller, reply, seconds }) : created.found
  const { store, config, runners, depth, streamTokens } = services
  const base = baseUrl(config, request)
  reply.header('location', generationUrl(base, found.snapshot.id))
  if (created.isReplayed) reply.header('idempotency-replayed', 'true')
  if (preferred !== undefined) reply.header('preference-applied', `wait=${preferred}`)
  if (isTerminal(found.standing)) {
    reply.code(200)
    if (picture !== undefined) return sendPicture(store, reply, found)
  } else {
    reply.code(202).header('retry-after', String(retryAfterSeconds(runners, found, depth.waiting)))
  }
  return toGeneration(found.snapshot, found.standing, { store, streamTokens, base, etaMs: createEta(runners, depth.waiting) })
}
