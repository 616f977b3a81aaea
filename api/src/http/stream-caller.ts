import type { KeyFinder } from '../keys/find.ts'
import { isExpired } from '../keys/record.ts'
import { OWNER } from '../keys/owner.ts'
import type { StreamTokens } from '../generations/stream-tokens.ts'
import type { StreamCaller } from './authentication.ts'
import { ANONYMOUS, type Caller, toCaller } from './caller.ts'
import { ProblemError } from './problem.ts'

const refused = () => {
  const detail =
    'The token of this link is for another generation, or has expired. Read the generation again: urls.events has a new one.'
  return new ProblemError('unauthorized', detail, {
    errors: [{ pointer: '/query/token', detail }],
    headers: { 'www-authenticate': 'Bearer' }
  })
}

/** A text among parsed parameters, which are checked only later. */
const textIn = (parameters: unknown, name: string): string | undefined => {
  const value: unknown = typeof parameters === 'object' && parameters !== null ? Reflect.get(parameters, name) : undefined
  return typeof value === 'string' ? value : undefined
}

interface StreamCallerContext {
  streamTokens: StreamTokens
  apiKeys: KeyFinder
}

/**
 * Who a stream token was made for, within that one's limits and to read alone; a key that was revoked or has expired
 * takes its tokens with it.
 * A token that is not good is refused, whoever else might call without.
 */
export const createStreamCaller =
  ({ streamTokens, apiKeys }: StreamCallerContext): StreamCaller =>
  async ({ params, query }): Promise<Caller | undefined> => {
    const token = textIn(query, 'token')
    if (token === undefined) return undefined
    const pass = await streamTokens.verify(token, textIn(params, 'id') ?? '')
    if (pass === undefined) throw refused()
    if (pass.owner === OWNER) return { ...ANONYMOUS, scopes: ['read'], pass }
    const record = await apiKeys.find(pass.owner)
    if (record === undefined || isExpired(record, Date.now())) throw refused()
    return { ...toCaller(record), scopes: ['read'], pass }
  }
