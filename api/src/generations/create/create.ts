import { DEFAULT_POOL, type Generation } from '@nextscale/openapi'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { callerOf } from '../../http/caller.ts'
import type { Services } from '../../services.ts'
import { payloadOf } from '../snapshot.ts'
import { answerMade, awaitMade } from './answer.ts'
import type { Asked } from './asked.ts'
import { findMade, make, type Made, type Resolved, type Wanted } from './make.ts'

type CreationRequest = Pick<FastifyRequest, 'id' | 'log' | 'protocol' | 'host' | 'trace' | 'caller'>

const tellMade = ({ metrics }: Services, { id, log }: CreationRequest, { found: { snapshot } }: Made): void => {
  const { input } = payloadOf(snapshot)
  const pool = snapshot.kind === 'job' ? snapshot.pool : DEFAULT_POOL
  metrics.accepted({ pool, model: input.model, priority: input.priority })
  log.debug({ request_id: id, generation: snapshot.id, pool, model: input.model }, 'accepted')
}

/** What a route has read of a request for a generation. */
export interface Creation {
  asked: Asked
  meaning: Wanted['meaning']
  /** Fills in what is left out; not called for a replay. */
  resolve: () => Promise<Resolved>
}

/**
 * Finds the generation that a request's idempotency key has made, or resolves and makes it, and answers: at once, or when it has
 * ended and a wait is preferred. With an image in `Accept` it waits as long as waits may be, and answers with the picture.
 */
export const create = async (
  services: Services,
  request: CreationRequest,
  reply: FastifyReply,
  { asked, meaning, resolve }: Creation
): Promise<Generation | FastifyReply> => {
  const caller = callerOf(request)
  const wanted: Wanted = { caller, asked, meaning, trace: request.trace }
  // Before anything is made: a refusal of the wait would leave a generation that its caller does not know of.
  const leave = asked.waitSeconds > 0 ? await services.streams.enter(caller) : undefined
  try {
    const before = await findMade(services, wanted)
    const made = before ?? (await make(services, wanted, await resolve()))
    if (!made.isReplayed) tellMade(services, request, made)
    const found = await awaitMade(services, reply, made, { owner: caller.owner, seconds: asked.waitSeconds })
    return await answerMade(services, { request, reply }, { ...made, found }, asked)
  } finally {
    leave?.()
  }
}
