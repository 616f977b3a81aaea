import type { TObject, TSchema } from 'typebox'
import { KEY_HEADERS, problemHeaders, type HeaderSpec } from './headers.ts'
import { Problem, PROBLEMS, type ProblemCode } from './schemas/problem.ts'
import type { Scope } from './scopes.ts'

export interface ResponseSpec {
  description: string
  /** Body; absent for an empty one. */
  schema?: TSchema
  /** Media types the body may have, `application/json` unless said. */
  contentTypes?: readonly string[]
  /** Bodies of other media types than `schema` describes. */
  alternatives?: Readonly<Record<string, TSchema>>
  headers?: Readonly<Record<string, HeaderSpec>>
}

/** One HTTP operation: routing, validation, types, documentation and SDKs all come from this value. */
export interface Operation {
  operationId: string
  method: 'GET' | 'POST' | 'DELETE'
  /** Path with `{name}` parameters, as OpenAPI spells it. */
  path: string
  tag: 'generations' | 'models' | 'webhooks' | 'objects' | 'service'
  /** Scope an API key needs; `null` for operations anyone may call. */
  scope: Scope | null
  /** Whether a stream token in the query, made for one generation, does instead of a key. */
  takesStreamToken?: boolean
  summary: string
  description?: string
  params?: TObject
  query?: TObject
  /** Request headers, by their lower-case names. */
  headers?: TObject
  body?: TSchema
  /** Fields of the body whose `null` is a value. Any other that may be left out is left out by `null` as well. */
  nullValues?: readonly string[]
  responses: Record<number, ResponseSpec>
  /** Problem codes this operation may answer with, beyond those any route may. */
  problems: readonly ProblemCode[]
}

export const defineOperation = <const T extends Operation>(operation: T): T => operation

/** Problems any operation may answer with, whatever it does. */
const COMMON_PROBLEMS = [
  'invalid_request',
  'host_not_allowed',
  'origin_not_allowed',
  'internal_error'
] as const satisfies readonly ProblemCode[]
/** Keys are read from Redis, so whoever needs one may hear that it is away. */
const KEY_PROBLEMS = [
  'unauthorized',
  'missing_scope',
  'rate_limited',
  'queue_unavailable'
] as const satisfies readonly ProblemCode[]
/** A body may come with any method but GET, also where none is asked for. */
const BODY_PROBLEMS = [
  'malformed_json',
  'request_timeout',
  'body_too_large',
  'unsupported_media_type'
] as const satisfies readonly ProblemCode[]

/** Problem codes of an operation, grouped by the HTTP status that carries them. */
export const problemsByStatus = (operation: Operation): Map<number, ProblemCode[]> => {
  const codes = new Set<ProblemCode>([
    ...operation.problems,
    ...COMMON_PROBLEMS,
    ...(operation.scope === null ? [] : KEY_PROBLEMS),
    ...(operation.method === 'GET' ? [] : BODY_PROBLEMS),
    ...(operation.body ? (['text_refused'] as const) : [])
  ])
  const grouped = new Map<number, ProblemCode[]>()
  for (const code of codes) {
    const status = PROBLEMS[code].status
    grouped.set(status, [...(grouped.get(status) ?? []), code])
  }
  return grouped
}

/** Media types a response may have. */
export const contentTypesOf = ({ contentTypes, alternatives }: ResponseSpec): readonly string[] => [
  ...(contentTypes ?? ['application/json']),
  ...Object.keys(alternatives ?? {})
]

/** Schema of each media type a response may have. */
export const bodiesOf = (response: ResponseSpec): Record<string, TSchema> => {
  const { schema, contentTypes = ['application/json'], alternatives = {} } = response
  if (!schema) return {}
  return { ...Object.fromEntries(contentTypes.map((type) => [type, schema])), ...alternatives }
}

/** Every response of an operation: its own and one per problem status. */
export const allResponses = (operation: Operation): Record<number, ResponseSpec> => {
  const keyHeaders = operation.scope === null ? {} : KEY_HEADERS
  const responses: Record<number, ResponseSpec> = {}
  for (const [status, response] of Object.entries(operation.responses)) {
    responses[Number(status)] = { ...response, headers: { ...response.headers, ...keyHeaders } }
  }
  for (const [status, codes] of problemsByStatus(operation)) {
    if (responses[status]) continue
    responses[status] = {
      description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
      schema: Problem,
      contentTypes: ['application/problem+json'],
      headers: { ...problemHeaders(status), ...keyHeaders }
    }
  }
  return responses
}
