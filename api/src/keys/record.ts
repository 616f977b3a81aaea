import { oneOf, SCOPES } from '@nextscale/openapi'
import Type, { type Static } from 'typebox'
import { jsonParserOf } from '../contract/parser.ts'

const limit = () => Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])

/** What a key may use at most; `null` is no limit. */
export const KeyLimits = Type.Object({ requests_per_minute: limit(), in_flight: limit(), streams: limit() })
export type KeyLimits = Static<typeof KeyLimits>

/** An API key as Redis keeps it. The secret itself is in no record: only its digest, and its end for people to tell keys apart. */
export const ApiKeyRecord = Type.Object({
  id: Type.String(),
  name: Type.String(),
  secret_sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  secret_end: Type.String(),
  scopes: Type.Array(oneOf(SCOPES)),
  limits: KeyLimits,
  created_at: Type.String({ format: 'date-time' }),
  expires_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()])
})
export type ApiKeyRecord = Static<typeof ApiKeyRecord>

/** The record in a text, or undefined when this release cannot read it. */
export const parseRecord = jsonParserOf(ApiKeyRecord)

export const isExpired = ({ expires_at }: ApiKeyRecord, now: number): boolean =>
  expires_at !== null && Date.parse(expires_at) <= now
