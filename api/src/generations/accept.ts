import type { GenerateImagePayload, Generation } from '@nextscale/openapi'
import type { FastifyReply } from 'fastify'
import type { Services } from '../services.ts'
import { newGenerationId } from './id.ts'
import { toGeneration } from './resource.ts'
import type { JobSnapshot } from './snapshot.ts'

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
  mark: null
})

/** Puts a generation into the queue and answers 202. `base` is that of absolute URLs. */
export const acceptGeneration = async (
  { depth, enqueue, store }: Services,
  payload: GenerateImagePayload,
  base: string,
  reply: FastifyReply
): Promise<Generation> => {
  depth.admit()
  const id = newGenerationId()
  const createdAt = Date.now()
  await enqueue(id, payload, createdAt)
  const generation = await toGeneration(justQueued(id, payload, createdAt), { status: 'queued' }, { store, base })
  reply.code(202).headers({ location: generation.urls.self, 'retry-after': '1' })
  return generation
}
