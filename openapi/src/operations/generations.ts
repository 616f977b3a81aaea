import Type from 'typebox'
import { headersNamed } from '../headers.ts'
import { defineOperation } from '../operation.ts'
import { ContinueRequest } from '../schemas/continue-request.ts'
import { GenerationEvent } from '../schemas/events.ts'
import { GenerateRequest } from '../schemas/generate-request.ts'
import { Generation, GENERATION_STATUSES, GenerationList } from '../schemas/generation.ts'
import { GenerationId, ModelId, oneOf } from '../schemas/primitives.ts'

export const MAX_WAIT_SECONDS = 60
export const MAX_PAGE_SIZE = 100
export const MAX_IDEMPOTENCY_KEY_LENGTH = 255

const params = Type.Object({ id: GenerationId }, { additionalProperties: false })

const createHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: MAX_IDEMPOTENCY_KEY_LENGTH,
      description:
        'Any text that is new for each generation, such as a UUID. The same key with the same request returns the generation made for it, for as long as that is kept; with another request it is refused.'
    })
  ),
  prefer: Type.Optional(
    Type.String({
      maxLength: 1024,
      description: `\`wait=n\` holds the answer until the generation is terminal, at most n seconds (${MAX_WAIT_SECONDS} at most, also the wait of \`wait\` alone): then the answer is 200, else 202. An image in \`Accept\` alone waits ${MAX_WAIT_SECONDS} seconds. A client that goes away cancels nothing.`
    })
  )
})

const accepted = headersNamed('Location', 'Retry-After', 'Preference-Applied', 'Idempotency-Replayed')

const createResponses = {
  202: { description: 'Accepted. Go on polling `urls.self`.', schema: Generation, headers: accepted },
  200: {
    description:
      'Terminal: within the wait that was preferred, or before, where an idempotency key is repeated. The generation, or its picture where that is accepted.',
    schema: Generation,
    alternatives: { 'image/*': Type.String({ format: 'binary' }) },
    headers: headersNamed('Location', 'Preference-Applied', 'Idempotency-Replayed')
  }
} as const

const createProblems = [
  'unknown_model',
  'unsupported_for_model',
  'out_of_range_for_model',
  'webhook_url_refused',
  'idempotency_mismatch',
  'generation_not_succeeded',
  'generation_gone',
  'not_acceptable',
  'object_store_unavailable',
  'too_many_in_flight',
  'too_many_streams',
  'queue_unavailable',
  'queue_full',
  'no_models'
] as const

export const createGeneration = defineOperation({
  operationId: 'createGeneration',
  method: 'POST',
  path: '/generate',
  tag: 'generations',
  scope: 'generate',
  summary: 'Generate pictures',
  description:
    'Accepts the request and answers at once; poll `urls.self`, or long-poll it with `?wait=`, for the outcome. With `Accept: image/*` (or `image/png`, `image/webp`, `image/jpeg`, which set `output.format` where the body does not) the answer is the picture itself, where one was asked for and it is made within the wait: `Prefer: wait=n`, else as long as waits may be. JSON is preferred where it is accepted as much.',
  headers: createHeaders,
  body: GenerateRequest,
  responses: createResponses,
  problems: [...createProblems, 'unknown_class', 'ambiguous_class']
})

export const continueGeneration = defineOperation({
  operationId: 'continueGeneration',
  method: 'POST',
  path: '/generations/{id}/continue',
  tag: 'generations',
  scope: 'generate',
  summary: 'Take a draft to full size, or vary a generation',
  description:
    'Makes a new generation with the settings of a succeeded one. Without `keep_scales` it draws the same tokens and goes further; with it, the first scales stay and the rest is drawn with another seed.',
  params,
  headers: createHeaders,
  body: ContinueRequest,
  nullValues: ['start_deadline_seconds'],
  responses: createResponses,
  problems: [...createProblems, 'generation_not_found', 'generation_not_terminal', 'generation_not_continuable']
})

export const getGeneration = defineOperation({
  operationId: 'getGeneration',
  method: 'GET',
  path: '/generations/{id}',
  tag: 'generations',
  scope: 'read',
  summary: 'Read a generation',
  params,
  headers: Type.Object({
    'if-none-match': Type.Optional(
      Type.String({ maxLength: 1024, description: '`ETag` of an earlier answer. Links in that one may have run out.' })
    )
  }),
  query: Type.Object(
    {
      wait: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: MAX_WAIT_SECONDS,
          description:
            'Hold the answer until the generation is terminal, at most this many seconds. With `If-None-Match`: until anything changes.'
        })
      )
    },
    { additionalProperties: false }
  ),
  responses: {
    200: {
      description: 'The generation. `Retry-After` is sent while it is not terminal.',
      schema: Generation,
      headers: headersNamed('Retry-After', 'ETag')
    },
    304: { description: 'Nothing has changed since the answer with that `ETag`.', headers: headersNamed('Retry-After', 'ETag') }
  },
  problems: ['generation_not_found', 'generation_gone', 'too_many_streams', 'queue_unavailable']
})

export const getGenerationEvents = defineOperation({
  operationId: 'getGenerationEvents',
  method: 'GET',
  path: '/generations/{id}/events',
  tag: 'generations',
  scope: 'read',
  takesStreamToken: true,
  summary: 'Follow a generation by server-sent events',
  description:
    'Begins with `snapshot`, or goes on after `Last-Event-ID`, for which `?lastEventId=` and `?last_event_id=` do as well; ends after `end`. Events follow from the generation’s state, so a stream can be resumed at any API process. Comments (`:`) keep idle connections open.',
  params,
  headers: Type.Object({
    'last-event-id': Type.Optional(
      Type.String({ description: 'Id of the last event received. What is not an id of this generation’s events counts as none.' })
    )
  }),
  query: Type.Object(
    { token: Type.Optional(Type.String({ maxLength: 300, description: 'Instead of a key; part of `urls.events`.' })) },
    { additionalProperties: false }
  ),
  responses: {
    200: { description: 'The stream.', schema: GenerationEvent, contentTypes: ['text/event-stream'] },
    204: { description: '`Last-Event-ID` is that of `end`: there is nothing more to come, and nothing to reconnect for.' }
  },
  problems: ['generation_not_found', 'generation_gone', 'not_acceptable', 'too_many_streams', 'queue_unavailable']
})

export const listGenerations = defineOperation({
  operationId: 'listGenerations',
  method: 'GET',
  path: '/generations',
  tag: 'generations',
  scope: 'read',
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
  scope: 'generate',
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
  scope: 'generate',
  summary: 'Erase a terminal generation with its pictures and tokens',
  description: 'Idempotent: erasing it again answers 204 as well.',
  params,
  responses: { 204: { description: 'Erased.' } },
  problems: ['generation_not_found', 'generation_not_terminal', 'queue_unavailable', 'object_store_unavailable']
})
