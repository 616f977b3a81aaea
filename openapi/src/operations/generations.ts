import Type from 'typebox'
import { defineOperation } from '../operation.ts'
import { GenerateRequest } from '../schemas/generate-request.ts'
import { Generation, GENERATION_STATUSES, GenerationList } from '../schemas/generation.ts'
import { GenerationId, ModelId, oneOf } from '../schemas/primitives.ts'

export const MAX_WAIT_SECONDS = 60
export const MAX_PAGE_SIZE = 100

const params = Type.Object({ id: GenerationId }, { additionalProperties: false })
const retryAfter = { description: 'Seconds to wait before the next request.', schema: Type.Integer({ minimum: 1 }) }

export const createGeneration = defineOperation({
  operationId: 'createGeneration',
  method: 'POST',
  path: '/generate',
  tag: 'generations',
  summary: 'Generate pictures',
  description: 'Accepts the request and answers at once; poll `urls.self`, or long-poll it with `?wait=`, for the outcome.',
  body: GenerateRequest,
  responses: {
    202: {
      description: 'Accepted.',
      schema: Generation,
      headers: {
        Location: { description: 'The generation.', schema: Type.String({ format: 'uri' }) },
        'Retry-After': retryAfter
      }
    }
  },
  problems: [
    'unknown_model',
    'unknown_class',
    'ambiguous_class',
    'out_of_range_for_model',
    'unsupported_for_model',
    'queue_unavailable',
    'queue_full',
    'no_models'
  ]
})

export const getGeneration = defineOperation({
  operationId: 'getGeneration',
  method: 'GET',
  path: '/generations/{id}',
  tag: 'generations',
  summary: 'Read a generation',
  params,
  query: Type.Object(
    {
      wait: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: MAX_WAIT_SECONDS,
          description: 'Hold the answer until the generation is terminal, at most this many seconds.'
        })
      )
    },
    { additionalProperties: false }
  ),
  responses: {
    200: {
      description: 'The generation. `Retry-After` is sent while it is not terminal.',
      schema: Generation,
      headers: { 'Retry-After': retryAfter }
    }
  },
  problems: ['generation_not_found', 'generation_gone', 'queue_unavailable']
})

export const listGenerations = defineOperation({
  operationId: 'listGenerations',
  method: 'GET',
  path: '/generations',
  tag: 'generations',
  summary: 'List generations, newest first',
  query: Type.Object(
    {
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE_SIZE, default: 20 })),
      cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: '`next_cursor` of the page before.' })),
      status: Type.Optional(oneOf(GENERATION_STATUSES)),
      model: Type.Optional(ModelId),
      label: Type.Optional(Type.String({ minLength: 1, maxLength: 128 }))
    },
    { additionalProperties: false }
  ),
  responses: { 200: { description: 'A page.', schema: GenerationList } },
  problems: ['invalid_cursor', 'queue_unavailable']
})

export const cancelGeneration = defineOperation({
  operationId: 'cancelGeneration',
  method: 'POST',
  path: '/generations/{id}/cancel',
  tag: 'generations',
  summary: 'Cancel a generation',
  description:
    'Idempotent. A queued generation is canceled at once; a running one is `canceling` and stops at its next scale; a terminal one stays as it is.',
  params,
  responses: { 200: { description: 'The generation after the request.', schema: Generation } },
  problems: ['generation_not_found', 'generation_gone', 'queue_unavailable']
})

export const deleteGeneration = defineOperation({
  operationId: 'deleteGeneration',
  method: 'DELETE',
  path: '/generations/{id}',
  tag: 'generations',
  summary: 'Erase a terminal generation with its pictures and tokens',
  description: 'Idempotent: erasing it again answers 204 as well.',
  params,
  responses: { 204: { description: 'Erased.' } },
  problems: ['generation_not_found', 'generation_not_terminal', 'queue_unavailable', 'object_store_unavailable']
})
