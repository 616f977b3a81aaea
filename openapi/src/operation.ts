import type { TObject, TSchema } from 'typebox'
import { Problem, PROBLEMS, type ProblemCode } from './schemas/problem.ts'

export interface ResponseSpec {
  description: string
  /** Body; absent for an empty one. */
  schema?: TSchema
  /** Media types the body may have, `application/json` unless said. */
  contentTypes?: readonly string[]
  headers?: Record<string, { description: string; schema: TSchema }>
}

/** One HTTP operation: routing, validation, types, documentation and SDKs all come from this value. */
export interface Operation {
  operationId: string
  method: 'GET' | 'POST' | 'DELETE'
  /** Path with `{name}` parameters, as OpenAPI spells it. */
  path: string
  tag: 'generations' | 'models' | 'objects' | 'service'
  summary: string
  description?: string
  params?: TObject
  query?: TObject
  body?: TSchema
  responses: Record<number, ResponseSpec>
  /** Problem codes this operation may answer with, beyond those any route may. */
  problems: readonly ProblemCode[]
}

export const defineOperation = <const T extends Operation>(operation: T): T => operation

/** Problems any operation may answer with, whatever it does. */
const COMMON_PROBLEMS = ['host_not_allowed', 'internal_error'] as const satisfies readonly ProblemCode[]
const QUERY_PROBLEMS = ['invalid_request'] as const satisfies readonly ProblemCode[]
const BODY_PROBLEMS = [
  'malformed_json',
  'invalid_request',
  'body_too_large',
  'unsupported_media_type'
] as const satisfies readonly ProblemCode[]

/** Problem codes of an operation, grouped by the HTTP status that carries them. */
export const problemsByStatus = (operation: Operation): Map<number, ProblemCode[]> => {
  const codes = new Set<ProblemCode>([
    ...operation.problems,
    ...COMMON_PROBLEMS,
    ...(operation.query || operation.params ? QUERY_PROBLEMS : []),
    ...(operation.body ? BODY_PROBLEMS : [])
  ])
  const grouped = new Map<number, ProblemCode[]>()
  for (const code of codes) {
    const status = PROBLEMS[code].status
    grouped.set(status, [...(grouped.get(status) ?? []), code])
  }
  return grouped
}

/** Media types a response may have. */
export const contentTypesOf = ({ contentTypes }: ResponseSpec): readonly string[] => contentTypes ?? ['application/json']

/** Every response of an operation: its own and one per problem status. */
export const allResponses = (operation: Operation): Record<number, ResponseSpec> => {
  const responses: Record<number, ResponseSpec> = { ...operation.responses }
  for (const [status, codes] of problemsByStatus(operation)) {
    if (responses[status]) continue
    responses[status] = {
      description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
      schema: Problem,
      contentTypes: ['application/problem+json']
    }
  }
  return responses
}
