import { Ajv, type ErrorObject } from 'ajv'
import type { Operation, ProblemCode } from '@nextscale/openapi'
import type { FastifySchemaCompiler, FastifySchema } from 'fastify'
import { TRUSTED_SCHEMAS } from '../parser.ts'
import { summarise, toFieldErrors } from './field-errors.ts'
import { ProblemError } from './problem.ts'

const shared = { ...TRUSTED_SCHEMAS, removeAdditional: false, useDefaults: false, allErrors: true, verbose: true } as const

/** JSON says what type a value has, so nothing in a body is converted: "4" is not a number. */
const bodies = new Ajv({ ...shared, coerceTypes: false })
/** Query strings and paths are text, so numbers in them are read from text. */
const texts = new Ajv({ ...shared, coerceTypes: true })

export const compileValidator: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) =>
  (httpPart === 'body' ? bodies : texts).compile(schema)

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
