import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { Operation, ProblemCode } from '@nextscale/openapi'
import type { FastifySchema, FastifySchemaCompiler, FastifyServerOptions } from 'fastify'
import type { FastifyValidationResult } from 'fastify/types/schema.js'
import { TRUSTED_SCHEMAS } from '../parser.ts'
import { summarise, toFieldErrors } from './field-errors.ts'
import { ProblemError } from './problem.ts'

const shared = { ...TRUSTED_SCHEMAS, removeAdditional: false, useDefaults: false, allErrors: true, verbose: true } as const

/** JSON says what type a value has, so nothing in a body is converted: "4" is not a number. */
const bodies = new Ajv({ ...shared, coerceTypes: false })
/** Query strings and paths are text, so numbers in them are read from text. */
const texts = new Ajv({ ...shared, coerceTypes: true })

/** Validators by schema, of which routes under two prefixes share one. Each is compiled when it is first asked, since all take half of a start. */
const compiledBy = (ajv: Ajv) => {
  const compiled = new WeakMap<object, ValidateFunction>()
  return (schema: object): ValidateFunction => {
    const known = compiled.get(schema) ?? ajv.compile(schema)
    compiled.set(schema, known)
    return known
  }
}

const compileBody = compiledBy(bodies)
const compileText = compiledBy(texts)

export const compileValidator: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) => {
  const compile = httpPart === 'body' ? compileBody : compileText
  const validator: FastifyValidationResult = (data: unknown) => {
    const validate = compile(schema)
    const isValid = validate(data)
    // Fastify reads them off the function it has called.
    validator.errors = validate.errors ?? null
    return isValid
  }
  return validator
}

type CompilersFactory = NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>

/** Fastify types them by those it would load otherwise. Responses are not compiled: see `addOperation`. */
const asCompilersFactory = (factory: object): CompilersFactory => factory as CompilersFactory

/** What Fastify compiles schemas with; named at its start, so that it does not load compilers of its own. */
export const schemaCompilers = asCompilersFactory({
  buildValidator: () => compileValidator,
  buildSerializer: () => () => JSON.stringify
})

const POINTER_PREFIX: Record<string, string> = { body: '', querystring: '/query', params: '/path', headers: '/headers' }

const notFoundCode = (operation: Operation): ProblemCode | undefined =>
  operation.problems.find((code) => code.endsWith('_not_found'))

/** An id that cannot exist is an id that does not exist: a malformed one in the path is a 404, like any other. */
const malformedPath = (operation: Operation, errors: readonly ErrorObject[]): ProblemError | undefined => {
  const code = notFoundCode(operation)
  if (code === undefined) return undefined
  const value = errors[0]?.data
  return new ProblemError(code, `${JSON.stringify(value)} is not an id this server issues.`)
}

/** Turns the errors of one part of a request into a problem. */
export const validationProblem = (operation: Operation, part: string, errors: readonly ErrorObject[]): ProblemError => {
  const notFound = part === 'params' ? malformedPath(operation, errors) : undefined
  if (notFound) return notFound
  const [first] = errors
  if (
    part === 'body' &&
    first?.instancePath === '' &&
    first.keyword === 'type' &&
    (first.data === undefined || first.data === null)
  ) {
    const detail = 'The request needs a JSON object as its body; `{}` is enough.'
    return new ProblemError('invalid_request', detail, { errors: [{ pointer: '', detail }] })
  }
  const fields = toFieldErrors(errors, POINTER_PREFIX[part] ?? '')
  return new ProblemError('invalid_request', summarise(fields), { errors: fields })
}
