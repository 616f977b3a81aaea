import type { Scope } from '@nextscale/openapi'
import type { FastifyRequest } from 'fastify'
import type { ApiKeyRecord, KeyLimits } from '../keys/record.ts'
import type { StreamPass } from '../generations/stream-tokens.ts'
import { OWNER } from '../keys/owner.ts'

/** Whoever sent a request, as far as this server is concerned. */
export interface Caller {
  /** Whose generations it makes and sees: the id of its key. */
  readonly owner: string
  readonly scopes: readonly Scope[]
  readonly limits: KeyLimits
  /** Of whoever came with a stream token: all that it lets in. */
  readonly pass?: StreamPass
}

/** All who come without a key, where they may, are one. */
export const ANONYMOUS: Caller = Object.freeze({
  owner: OWNER,
  scopes: ['admin'] as const,
  limits: { requests_per_minute: null, in_flight: null, streams: null }
})

export const toCaller = ({ id, scopes, limits }: ApiKeyRecord): Caller => ({ owner: id, scopes, limits })

export const hasScope = ({ scopes }: Caller, scope: Scope): boolean => scopes.includes(scope) || scopes.includes('admin')

/** Who called. Only operations that anyone may call have nobody to name. */
export const callerOf = ({ caller }: Pick<FastifyRequest, 'caller'>): Caller => {
  if (caller === null) throw new TypeError('The operation has no scope, so its caller is not known')
  return caller
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before the handler of an operation that has a scope; see `callerOf`. */
    caller: Caller | null
  }
}
