import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { Operation, ProblemCode } from '@nextscale/openapi'
import type { FastifySchema, FastifySchemaCompiler, FastifyServerOptions } from 'fastify'
import type { FastifyValidationResult } from 'fastify/types/schema.js'
import { TRUSTED_SCHEMAS } from '../parser.ts'
import { summarise, toFieldErrors } from './field-errors.ts'
import { type FieldError, ProblemError } from './problem.ts'

/** Nothing is converted: in JSON "4" is not a number, and `readIntegers` has read those of a query. */
const ajv = new Ajv({
  ...TRUSTED_SCHEMAS,
  removeAdditional: false,
  useDefaults: false,
  coerceTypes: false,
  allErrors: true,
  verbose: true
})

/** Validators by schema, of which routes under two prefixes share one. Each is compiled when it is first asked, since all take half of a start. */
const compiled = new WeakMap<object, ValidateFunction>()

const compile = (schema: object): ValidateFunction => {
  const known = compiled.get(schema) ?? ajv.compile(schema)
  compiled.set(schema, known)
  return known
}

export const compileValidator: FastifySchemaCompiler<FastifySchema> = ({ schema }) => {
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

/** A wait is asked for in another place where something is made, and the other place is easily taken for this one. */
const withWayOut = (operation: Operation, { pointer, detail }: FieldError): FieldError => {
  const isHeader = pointer === '/query/wait' && operation.headers !== undefined && 'prefer' in operation.headers.properties
  return { pointer, detail: isHeader ? 'Not a field of this query. Send the header `Prefer: wait=n` instead.' : detail }
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
  const fields = toFieldErrors(errors, POINTER_PREFIX[part] ?? '').map((field) => withWayOut(operation, field))
  return new ProblemError('invalid_request', summarise(fields), { errors: fields })
}
