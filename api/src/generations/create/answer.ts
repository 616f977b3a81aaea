import type { Generation } from '@nextscale/openapi'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { baseUrl, generationUrl } from '../../http/urls.ts'
import { isUnanswered } from '../../redis/errors.ts'
import type { Services } from '../../services.ts'
import { createOutlook, retryAfterSeconds } from '../estimate.ts'
import type { Found } from '../find.ts'
import { waitInRequest } from '../wait-in-request.ts'
import { toGeneration } from '../resource.ts'
import { isTerminal } from '../settle.ts'
import type { Asked } from './asked.ts'
import type { Made } from './make.ts'
import { sendPicture } from './picture.ts'

/** Waits for what was made. It is there, so when it cannot be read any more it is shown as it was. */
export const awaitMade = async (
  services: Services,
  reply: FastifyReply,
  { found }: Made,
  { owner, seconds }: { owner: string; seconds: number }
): Promise<Found> => {
  if (seconds === 0 || isTerminal(found.standing)) return found
  try {
    return await waitInRequest(services, reply, { id: found.snapshot.id, owner, timeoutMs: seconds * 1000 })
  } catch (error) {
    if (isUnanswered(error)) return found
    throw error
  }
}

/** Answers with what was made: the generation as it is, or its picture once there is one. */
export const answerMade = async (
  { store, config, runners, depth, streamTokens }: Services,
  { request, reply }: { request: Pick<FastifyRequest, 'protocol' | 'host'>; reply: FastifyReply },
  { found, isReplayed }: Made,
  { picture, preferred }: Pick<Asked, 'picture' | 'preferred'>
): Promise<Generation | FastifyReply> => {
  const base = baseUrl(config, request)
  reply.header('location', generationUrl(base, found.snapshot.id))
  if (isReplayed) reply.header('idempotency-replayed', 'true')
  if (preferred !== undefined) reply.header('preference-applied', `wait=${preferred}`)
  if (isTerminal(found.standing)) {
    reply.code(200)
    if (picture !== undefined) return sendPicture(store, reply, found)
  } else {
    reply.code(202).header('retry-after', String(retryAfterSeconds(runners, found, depth)))
  }
  return toGeneration(found.snapshot, found.standing, { store, streamTokens, base, outlook: createOutlook(runners, depth) })
}
