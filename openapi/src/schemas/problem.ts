import Type, { type Static } from 'typebox'
import { oneOf } from './primitives.ts'

interface ProblemKind {
  status: number
  title: string
  /** Whether the same request may succeed later without a change. */
  retryable: boolean
}

/** Every error the API answers with. Codes are stable; titles are for people. */
export const PROBLEMS = {
  malformed_json: { status: 400, title: 'The body is not valid JSON', retryable: false },
  invalid_request: { status: 400, title: 'The request does not match the contract', retryable: false },
  unauthorized: { status: 401, title: 'The request has no valid API key', retryable: false },
  invalid_cursor: { status: 400, title: 'The cursor is not one this server issued', retryable: false },
  link_invalid: { status: 403, title: 'The link is not signed by this server or has expired', retryable: false },
  missing_scope: { status: 403, title: 'The API key lacks the scope of this operation', retryable: false },
  host_not_allowed: { status: 403, title: 'The Host header names another host', retryable: false },
  origin_not_allowed: { status: 403, title: 'A web page of another origin may not do this', retryable: false },
  route_not_found: { status: 404, title: 'No such route', retryable: false },
  generation_not_found: { status: 404, title: 'No such generation', retryable: false },
  model_not_found: { status: 404, title: 'No such model', retryable: false },
  delivery_not_found: { status: 404, title: 'No such webhook delivery', retryable: false },
  object_not_found: { status: 404, title: 'No such object', retryable: false },
  method_not_allowed: { status: 405, title: 'The route does not take this method', retryable: false },
  not_acceptable: { status: 406, title: 'No answer of the accepted media types can be given', retryable: false },
  request_timeout: { status: 408, title: 'The request did not arrive in time', retryable: true },
  generation_not_terminal: { status: 409, title: 'The generation is not finished', retryable: true },
  generation_not_succeeded: { status: 409, title: 'The generation ended without a picture', retryable: false },
  generation_not_continuable: { status: 409, title: 'The generation cannot be continued', retryable: false },
  delivery_not_due: { status: 409, title: 'The webhook delivery has nothing to send yet', retryable: true },
  generation_gone: { status: 410, title: 'The generation was deleted or its retention is over', retryable: false },
  body_too_large: { status: 413, title: 'The body is too large', retryable: false },
  unsupported_media_type: { status: 415, title: 'The body is not plain application/json in UTF-8', retryable: false },
  expectation_failed: { status: 417, title: 'The server does not do what Expect asks for', retryable: false },
  unknown_model: { status: 422, title: 'The model is not served here', retryable: false },
  unknown_class: { status: 422, title: 'The model has no such class', retryable: false },
  ambiguous_class: { status: 422, title: 'Several classes have this name', retryable: false },
  out_of_range_for_model: { status: 422, title: 'A value is outside what the model takes', retryable: false },
  unsupported_for_model: { status: 422, title: 'The model does not support a field of the request', retryable: false },
  text_refused: { status: 422, title: 'A text is blank, or has what is no character', retryable: false },
  webhook_url_refused: { status: 422, title: 'Webhooks are not sent to this URL', retryable: false },
  idempotency_mismatch: { status: 422, title: 'The idempotency key was used for another request', retryable: false },
  rate_limited: { status: 429, title: 'The API key makes too many requests', retryable: true },
  too_many_in_flight: { status: 429, title: 'The API key has too many unfinished generations', retryable: true },
  too_many_streams: { status: 429, title: 'Too many open streams and waits', retryable: true },
  header_fields_too_large: { status: 431, title: 'The request headers are too large', retryable: false },
  internal_error: { status: 500, title: 'Something broke on our side', retryable: true },
  queue_unavailable: { status: 503, title: 'The queue cannot be reached', retryable: true },
  queue_full: { status: 503, title: 'The queue is full', retryable: true },
  object_store_unavailable: { status: 503, title: 'The object store cannot be reached', retryable: true },
  no_models: { status: 503, title: 'No runner has announced a model yet', retryable: true },
  shutting_down: { status: 503, title: 'The server is stopping', retryable: true }
} as const satisfies Record<string, ProblemKind>

export type ProblemCode = keyof typeof PROBLEMS
export const PROBLEM_CODES = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]

const FieldError = Type.Object(
  {
    pointer: Type.String({
      description: 'JSON pointer to the field (`/query/…`, `/path/…` and `/headers/…` outside the body).'
    }),
    detail: Type.String({ description: 'What is wrong with it and how to mend it.' })
  },
  { $id: 'FieldError', description: 'A field at fault.' }
)

export const Problem = Type.Object(
  {
    type: Type.String({ format: 'uri', description: 'Names the kind of problem; stable.' }),
    title: Type.String({ description: 'The kind of problem, in words.' }),
    status: Type.Integer({ minimum: 400, maximum: 599, description: 'The HTTP status.' }),
    detail: Type.String({ description: 'What is wrong here and how to mend it.' }),
    code: oneOf(PROBLEM_CODES, { description: 'The kind of problem, for programs; stable.' }),
    request_id: Type.String({ description: 'Id of the request, which the server’s log has as well.' }),
    retryable: Type.Boolean({ description: 'Whether the same request may succeed later.' }),
    errors: Type.Array(FieldError, { description: 'The fields at fault; empty when no single field is.' })
  },
  { $id: 'Problem', description: 'RFC 9457 problem details.' }
)
export type Problem = Static<typeof Problem>
