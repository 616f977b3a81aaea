import type { Operation } from '@nextscale/openapi'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import Type, { type Static, type TSchema } from 'typebox'
import { readIntegers } from './read-integers.ts'
import { validatorsOf } from './validation.ts'
import type { WithoutNulls } from './without-nulls.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The operation of the contract behind a route; absent where the contract has none. */
    operation?: Operation
  }
}

type Part<O extends Operation, K extends 'params' | 'query' | 'headers' | 'body'> =
  O extends Record<K, infer S extends TSchema> ? Static<S> : undefined

type NullValues<O extends Operation> = O extends { nullValues: readonly (infer N extends string)[] } ? N : never

type BodyOf<R> = R extends { schema: infer S extends TSchema } ? Static<S> : undefined

/** Body of the answer asked for. */
export type OperationResult<O extends Operation> = {
  [S in keyof O['responses']]: BodyOf<O['responses'][S]>
}[keyof O['responses']]

export type OperationRequest<O extends Operation> = FastifyRequest<{
  Params: Part<O, 'params'>
  Querystring: Part<O, 'query'>
  Headers: Part<O, 'headers'>
  Body: WithoutNulls<Part<O, 'body'>, NullValues<O>>
}>

/** Handlers return the body; only one that streams, or answers without a body, sends the reply itself. */
export type OperationHandler<O extends Operation> = (
  request: OperationRequest<O>,
  reply: FastifyReply
) => Promise<OperationResult<O> | FastifyReply>

/** Fastify types a handler by its route; the contract does so here, and Ajv has checked it by the time it runs. */
const asRouteHandler = <O extends Operation>(handler: OperationHandler<O>): RouteHandlerMethod =>
  handler as unknown as RouteHandlerMethod

/** `/generations/{id}` as Fastify spells it. */
export const fastifyPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

/** Whatever the contract does not name is refused, also where it names nothing. */
const NO_QUERY = Type.Object({}, { additionalProperties: false })

export interface OperationOptions {
  /** Puts what some clients send elsewhere to where the contract has it, before it is checked. */
  rearrange?: (request: FastifyRequest) => void
}

/**
 * Registers one operation of the contract. Responses are written by JSON.stringify: their types come from the contract,
 * tests check them against it, and unions in a compiled serialiser would run a validator per request.
 */
export const addOperation = <const O extends Operation>(
  app: FastifyInstance,
  operation: O,
  handler: OperationHandler<O>,
  { rearrange }: OperationOptions = {}
): void => {
  const [status] = Object.keys(operation.responses)
  const query = operation.query ?? NO_QUERY
  const readQuery = readIntegers(query)
  app.route({
    method: operation.method,
    url: fastifyPath(operation.path),
    config: { operation },
    schema: {
      ...(operation.params && { params: operation.params }),
      querystring: query,
      ...(operation.headers && { headers: operation.headers }),
      ...(operation.body && { body: operation.body })
    },
    validatorCompiler: validatorsOf(operation),
    onRequest: (_request, reply, done) => {
      reply.statusCode = Number(status)
      done()
    },
    preValidation: (request, _reply, done) => {
      rearrange?.(request)
      readQuery(request.query)
      done()
    },
    handler: asRouteHandler(handler)
  })
}
