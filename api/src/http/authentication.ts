import type { Operation, Scope } from '@nextscale/openapi'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { Config } from '../config.ts'
import type { KeyFinder } from '../keys/find.ts'
import type { ApiKeyRecord } from '../keys/record.ts'
import { parseToken, type Token } from '../keys/token.ts'
import { verify } from '../keys/verify.ts'
import type { RateLimit } from '../limits/rate.ts'
import { isLoopback } from './loopback.ts'
import { ANONYMOUS, type Caller, hasScope, toCaller } from './caller.ts'
import { createHostCheck } from './host-check.ts'
import { createPageCheck } from './page-check.ts'
import { ProblemError } from './problem.ts'

/** Names the caller of a request that carries something other than a key; undefined when it carries nothing of the kind. */
export type StreamCaller = (request: FastifyRequest) => Caller | undefined | Promise<Caller | undefined>

export interface AuthenticationOptions {
  config: Config
  apiKeys: KeyFinder
  rate: RateLimit
  /** Asked about requests without a key, for operations that take stream tokens. */
  streamCaller?: StreamCaller
}

/** `fault` is what is wrong with the header, `detail` that and the way out. */
const unauthorized = (fault: string, detail: string) => {
  const errors = [{ pointer: '/headers/authorization', detail: fault }]
  return new ProblemError('unauthorized', detail, { errors, headers: { 'www-authenticate': 'Bearer' } })
}

const KEY_NEEDED =
  'This server asks for an API key. Send it as `Authorization: Bearer ns_…`; `nextscale keys create` on the server makes one.'

const NO_KEY = 'The bearer token is no API key of this server: they look like `ns_<id>_<secret>`. Check that it is whole.'

/** The text of a bearer token; undefined without the header, or with one of another scheme. */
const bearerOf = ({ headers: { authorization = '' } }: FastifyRequest): string | undefined =>
  /^bearer +(\S+) *$/i.exec(authorization)?.[1]

const callerOfRecord = (record: ApiKeyRecord | undefined, token: Token): Caller => {
  const verdict = verify(record, token.secret, Date.now())
  if (verdict.kind === 'valid') return toCaller(verdict.record)
  if (verdict.kind === 'invalid')
    throw unauthorized(
      'Not a key that is known.',
      'There is no such API key, or it was revoked. Check it, or have a new one made.'
    )
  const { name, expires_at } = verdict.record
  throw unauthorized('Expired.', `The API key "${name}" expired at ${expires_at}. Have a new one made.`)
}

const missingScope = (caller: Caller, scope: Scope) =>
  new ProblemError(
    'missing_scope',
    `This operation needs an API key with the scope \`${scope}\`; this one has ${caller.scopes.join(', ')}. Send another key.`
  )

const countRequest = async (rate: RateLimit, { owner }: Caller, limit: number, reply: FastifyReply): Promise<void> => {
  const { isTaken, headers, retryAfterSeconds } = await rate.take(owner, limit)
  reply.headers(headers)
  if (isTaken) return
  const detail = `The API key may make ${limit} requests a minute. The next is taken in ${retryAfterSeconds} s.`
  throw new ProblemError('rate_limited', detail, { retryAfterSeconds })
}

/** Takes requests that come without a key, or says why not. */
const createAnonymousAccess = ({ config, apiKeys }: AuthenticationOptions) => {
  const checkHost = createHostCheck(config)
  const checkPage = createPageCheck(config)
  const isLocal = isLoopback(config.host)
  const admit = (request: FastifyRequest): Caller => {
    checkPage(request)
    return ANONYMOUS
  }
  const judge = (request: FastifyRequest, anyEver: boolean): Caller => {
    // A proxy beside this server hands on what others send, and says so where it is trusted to.
    if (anyEver || !isLoopback(request.ip))
      throw bearerOf(request) === undefined
        ? unauthorized('Required, but missing.', KEY_NEEDED)
        : unauthorized('Not an API key.', NO_KEY)
    checkHost(request)
    return admit(request)
  }
  return (request: FastifyRequest): Caller | Promise<Caller> => {
    if (config.unauthenticated === 'allow') return admit(request)
    const anyEver = !isLocal || apiKeys.anyEver()
    return anyEver instanceof Promise ? anyEver.then((known) => judge(request, known)) : judge(request, anyEver)
  }
}

/** Finds out who calls. What is no key of ours is ignored where no key is needed: a proxy may have its own. */
const createIdentify = (options: AuthenticationOptions) => {
  const { apiKeys, streamCaller } = options
  const anonymous = createAnonymousAccess(options)
  return (request: FastifyRequest, operation: Operation): Caller | Promise<Caller> => {
    const bearer = bearerOf(request)
    const token = bearer === undefined ? undefined : parseToken(bearer)
    if (token !== undefined) {
      const found = apiKeys.find(token.id)
      return found instanceof Promise ? found.then((record) => callerOfRecord(record, token)) : callerOfRecord(found, token)
    }
    if (!operation.takesStreamToken || !streamCaller) return anonymous(request)
    return Promise.resolve(streamCaller(request)).then((caller) => caller ?? anonymous(request))
  }
}

/** Lets a caller through who is within the rate and has the scope. */
const createAdmit =
  ({ rate }: AuthenticationOptions) =>
  (request: FastifyRequest, reply: FastifyReply, scope: Scope, caller: Caller): void | Promise<void> => {
    const enter = () => {
      if (!hasScope(caller, scope)) throw missingScope(caller, scope)
      request.caller = caller
    }
    const limit = caller.limits.requests_per_minute
    return limit === null ? enter() : countRequest(rate, caller, limit, reply).then(enter)
  }

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** Goes on with a request once its caller is admitted. */
const goOn = async (admitted: Promise<void>, next: (error?: Error) => void): Promise<void> => {
  try {
    await admitted
  } catch (error) {
    return next(asError(error))
  }
  next()
}

/**
 * Gives every operation that has a scope a caller who has it and is within its rate, or answers why not. Written without
 * `async`, since nearly every request can be judged at once and a promise would cost it as much as the judgement.
 */
export const authentication = fastifyPlugin(
  (app: FastifyInstance, options: AuthenticationOptions, done) => {
    const identify = createIdentify(options)
    const admit = createAdmit(options)
    app.decorateRequest('caller', null)
    app.addHook('onRequest', (request, reply, next) => {
      const { operation } = request.routeOptions.config
      if (!operation || operation.scope === null) return next()
      const { scope } = operation
      try {
        const caller = identify(request, operation)
        const admitted =
          caller instanceof Promise
            ? caller.then((known) => admit(request, reply, scope, known))
            : admit(request, reply, scope, caller)
        if (!(admitted instanceof Promise)) return next()
        void goOn(admitted, next)
      } catch (error) {
        next(asError(error))
      }
    })
    done()
  },
  { name: 'authentication', dependencies: ['problems', 'request-log'] }
)
