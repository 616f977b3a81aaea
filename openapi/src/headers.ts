import Type, { type TSchema } from 'typebox'

export interface HeaderSpec {
  description: string
  schema: TSchema
}

/** Response headers, by the names clients know them under. */
export const RESPONSE_HEADERS = {
  Location: { description: 'The generation.', schema: Type.String({ format: 'uri' }) },
  'Retry-After': { description: 'Seconds to wait before the next request.', schema: Type.Integer({ minimum: 1 }) },
  ETag: { description: 'Changes whenever what it stands for does. Send it back as `If-None-Match`.', schema: Type.String() },
  'Preference-Applied': { description: 'The wait that was granted, for example `wait=10`.', schema: Type.String() },
  'Idempotency-Replayed': {
    description: '`true` when the idempotency key had been used for this request before: nothing new was made.',
    schema: Type.String({ enum: ['true'] })
  },
  RateLimit: {
    description: 'What is left: `"requests";r=<requests>;t=<seconds until all are back>`.',
    schema: Type.String()
  },
  'RateLimit-Policy': { description: 'The limit of the key: `"requests";q=<requests>;w=<seconds>`.', schema: Type.String() },
  'WWW-Authenticate': { description: 'How to send a key.', schema: Type.String() },
  'Accept-Encoding': { description: '`identity`: bodies are taken as they are, not compressed.', schema: Type.String() }
} as const satisfies Record<string, HeaderSpec>

type Name = keyof typeof RESPONSE_HEADERS

/** Some of the response headers. */
export const headersNamed = (...names: readonly Name[]): Record<string, HeaderSpec> =>
  Object.fromEntries(names.map((name) => [name, RESPONSE_HEADERS[name]]))

const PROBLEM_HEADERS: Record<number, readonly Name[]> = {
  401: ['WWW-Authenticate'],
  409: ['Retry-After'],
  415: ['Accept-Encoding'],
  429: ['Retry-After'],
  503: ['Retry-After']
}

/** Headers that problems of a status may carry. */
export const problemHeaders = (status: number): Record<string, HeaderSpec> => headersNamed(...(PROBLEM_HEADERS[status] ?? []))

/** Headers of every answer to a caller with a key. */
export const KEY_HEADERS = headersNamed('RateLimit', 'RateLimit-Policy')
