import { createGeneration, type GenerateImagePayload, type GenerateRequest } from '@nextscale/openapi'
import type { FastifyInstance } from 'fastify'
import { newGenerationId } from '../../generations/id.ts'
import { resolveInput } from '../../generations/resolve-input.ts'
import { toGeneration } from '../../generations/resource.ts'
import type { JobSnapshot } from '../../generations/snapshot.ts'
import { addOperation } from '../../http/operation.ts'
import { baseUrl } from '../../http/urls.ts'
import { requireCards } from '../../models/registry.ts'
import { OWNER } from '../../owner.ts'
import type { Services } from '../../services.ts'

const toPayload = (body: GenerateRequest, input: GenerateImagePayload['input']): GenerateImagePayload => ({
  version: 1,
  owner: OWNER,
  input,
  metadata: body.metadata ?? {},
  label: body.label ?? null
})

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

/** POST /generate */
export const createGenerationRoute = (
  app: FastifyInstance,
  { config, models, depth, enqueue, store, streamTokens }: Services
): void =>
  addOperation(app, createGeneration, async (request, reply) => {
    const input = resolveInput(request.body, await requireCards(models))
    depth.admit()
    const id = newGenerationId()
    const payload = toPayload(request.body, input)
    const createdAt = Date.now()
    await enqueue(id, payload, createdAt)
    const snapshot = justQueued(id, payload, createdAt)
    const generation = await toGeneration(snapshot, { status: 'queued' }, { store, streamTokens, base: baseUrl(config, request) })
    reply.code(202).headers({ location: generation.urls.self, 'retry-after': '1' })
    return generation
  })
