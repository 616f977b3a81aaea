import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { Operation, ProblemCode } from '@nextscale/openapi'
import type { FastifySchema, FastifySchemaCompiler, FastifyServerOptions } from 'fastify'
import type { TSchema } from 'typebox'
import { TRUSTED_SCHEMAS, withoutNames } from '../contract/parser.ts'
import { summarise, toFieldErrors } from './field-errors.ts'
import { type FieldError, ProblemError } from './problem.ts'
import { refuseTexts } from './refuse-texts.ts'
import { shown } from './shown.ts'
import { asSpelt } from './spelt-numbers.ts'
import { withoutNulls } from './without-nulls.ts'

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
const compiled = new WeakMap<TSchema, ValidateFunction>()

const compile = (schema: TSchema): ValidateFunction => {
  const known = compiled.get(schema) ?? ajv.compile(withoutNames(schema))
  compiled.set(schema, known)
  return known
}

const POINTER_PREFIX: Record<string, string> = { querystring: '/query', params: '/path', headers: '/headers' }

const notFoundCode = (operation: Operation): ProblemCode | undefined =>
  operation.problems.find((code) => code.endsWith('_not_found'))

/** An id that cannot exist is an id that does not exist: a malformed one in the path is a 404, like any other. */
const malformedPath = (operation: Operation, errors: readonly ErrorObject[]): ProblemError | undefined => {
  const code = notFoundCode(operation)
  return code && new ProblemError(code, `${shown(errors[0]?.data)} is not an id this server issues.`)
}

const invalidFields = (fields: FieldError[]) => new ProblemError('invalid_request', summarise(fields), { errors: fields })

/** A wait is asked for in another place where something is made, and the other place is easily taken for this one. */
const withWayOut = (operation: Operation, { pointer, detail }: FieldError): FieldError => {
  const isHeader = pointer === '/query/wait' && operation.headers !== undefined && 'prefer' in operation.headers.properties
  return { pointer, detail: isHeader ? 'Not a field of this query. Send the header `Prefer: wait=n` instead.' : detail }
}

const textProblem = (operation: Operation, part: string, errors: readonly ErrorObject[]): ProblemError =>
  (part === 'params' ? malformedPath(operation, errors) : undefined) ??
  invalidFields(toFieldErrors(errors, POINTER_PREFIX[part] ?? '').map((field) => withWayOut(operation, field)))

const bodyProblem = (body: unknown, errors: readonly ErrorObject[]): ProblemError => {
  if (body !== undefined && body !== null) return invalidFields(toFieldErrors(errors, '', asSpelt(body)))
  const detail = 'The request needs a JSON object as its body; `{}` is enough.'
  return new ProblemError('invalid_request', detail, { errors: [{ pointer: '', detail }] })
}

const readBody = ({ nullValues = [] }: Operation, body: unknown) => {
  const error = refuseTexts(body)
  return error ? { error } : { value: withoutNulls(body, nullValues) }
}

/** Makes of each part of a request of the operation what its handler gets, or the problem with it. */
export const validatorsOf =
  (operation: Operation): FastifySchemaCompiler<TSchema> =>
  ({ schema, httpPart = '' }) =>
  (value: unknown) => {
    const fits = compile(schema)
    const ofBody = httpPart === 'body'
    if (fits(value)) return ofBody ? readBody(operation, value) : true
    const errors = fits.errors ?? []
    return { error: ofBody ? bodyProblem(value, errors) : textProblem(operation, httpPart, errors) }
  }

type CompilersFactory = NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>

/** Fastify types them by those it would load otherwise. */
const asCompilersFactory = (factory: object): CompilersFactory => factory as CompilersFactory

const unchecked: FastifySchemaCompiler<FastifySchema> = ({ method, url }) => {
  throw new TypeError(`${method} ${url} has a schema and no validator: register it with addOperation`)
}

/** Stands in for the compilers that Fastify would load. Requests are checked by `validatorsOf`, responses are not compiled. */
export const schemaCompilers = asCompilersFactory({
  buildValidator: () => unchecked,
  buildSerializer: () => () => JSON.stringify
})
