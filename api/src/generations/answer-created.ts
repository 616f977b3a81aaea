import type { Generation, GenerateImagePayload } from '@nextscale/openapi'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Acceptance, type ImageFormat, readAccept } from '../http/accept.ts'
import type { Caller } from '../http/caller.ts'
import { preferredWait } from '../http/prefer.ts'
import { baseUrl, generationUrl } from '../http/urls.ts'
import { isUnanswered } from '../redis/errors.ts'
import type { Services } from '../services.ts'
import { checkPicture, requireAnswerable, sendPicture } from './answer-picture.ts'
import { type Created, createOrReplay } from './create.ts'
import { createEta, retryAfterSeconds } from './estimate.ts'
import type { Found } from './find.ts'
import { holdUntilTerminal } from './hold.ts'
import { toGeneration } from './resource.ts'
import { isTerminal } from './settle.ts'
import { payloadOf } from './snapshot.ts'

/** What an operation that makes a generation knows about the request. */
export interface Creation {
  /** What was asked for, the operation and everything beside the body included: a repeated key must mean the same. */
  asked: (format: ImageFormat | undefined) => object
  /** Format the body names. */
  format: ImageFormat | undefined
  /** Fills in what is left out. `format` is what the body or `Accept` names. Not called for a replay. */
  resolve: (
    format: ImageFormat | undefined
  ) => Promise<Pick<GenerateImagePayload, 'input' | 'metadata' | 'label' | 'webhook' | 'parent'>>
}

type CreationRequest = Pick<FastifyRequest, 'id' | 'log' | 'protocol' | 'host' | 'trace'> & {
  headers: { accept?: string | undefined; prefer?: string; 'idempotency-key'?: string; 'content-length'?: string | undefined }
}

/** Waits for what was made. It is there, so when it cannot be read any more it is shown as it was. */
const holdCreated = async (services: Services, reply: FastifyReply, { found }: Created, owner: string, seconds: number) => {
  if (isTerminal(found.standing)) return found
  try {
    return await holdUntilTerminal(services, reply, { id: found.snapshot.id, owner, timeoutMs: seconds * 1000 })
  } catch (error) {
    if (isUnanswered(error)) return found
    throw error
  }
}

/** Format of the picture to answer with; a body that names another one than is accepted leaves JSON, if that is. */
const formatOf = ({ json, formats }: Acceptance, named: ImageFormat | undefined): ImageFormat | undefined => {
  const wanted = named === undefined ? formats[0] : formats.find((format) => format === named)
  if (wanted !== undefined) return wanted
  requireAnswerable(json, formats, named)
  return undefined
}

const tellAccepted = ({ metrics }: Services, { id, log }: CreationRequest, { snapshot }: Found): void => {
  const { input } = payloadOf(snapshot)
  metrics.accepted(input.model, input.priority)
  log.debug({ request_id: id, generation: snapshot.id, model: input.model }, 'accepted')
}

interface Answer {
  picture: ImageFormat | undefined
  /** The wait that was granted, if one was preferred. */
  preferred: number | undefined
}

const answer = async (
  { store, config, runners, depth, streamTokens }: Services,
  request: CreationRequest,
  reply: FastifyReply,
  { found, isReplayed }: Created,
  { picture, preferred }: Answer
): Promise<Generation | FastifyReply> => {
  const base = baseUrl(config, request)
  reply.header('location', generationUrl(base, found.snapshot.id))
  if (isReplayed) reply.header('idempotency-replayed', 'true')
  if (preferred !== undefined) reply.header('preference-applied', `wait=${preferred}`)
  if (isTerminal(found.standing)) {
    reply.code(200)
    if (picture !== undefined) return sendPicture(store, reply, found)
  } else {
    reply.code(202).header('retry-after', String(retryAfterSeconds(runners, found, depth.waiting)))
  }
  return toGeneration(found.snapshot, found.standing, { store, streamTokens, base, etaMs: createEta(runners, depth.waiting) })
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
  const { maxWaitSeconds } = services.config
  const picture = formatOf(readAccept(request.headers.accept), creation.format)
  const format = creation.format ?? picture
  const check = (payload: GenerateImagePayload) => checkPicture(picture, payload.input)
  const key = request.headers['idempotency-key']
  const preferred = preferredWait(request.headers.prefer, maxWaitSeconds)
  const seconds = preferred ?? (picture === undefined ? 0 : maxWaitSeconds)
  // Before anything is made: a refusal of the wait would leave a generation that its caller does not know of.
  const leave = seconds > 0 ? await services.streams.enter(caller) : undefined
  try {
    const bytes = Number(request.headers['content-length'] ?? 0)
    const created = await createOrReplay(services, { caller, key, creation, format, bytes, check, trace: request.trace })
    if (!created.isReplayed) tellAccepted(services, request, created.found)
    const found = seconds > 0 ? await holdCreated(services, reply, created, caller.owner, seconds) : created.found
    return await answer(services, request, reply, { ...created, found }, { picture, preferred })
  } finally {
    leave?.()
  }
}
