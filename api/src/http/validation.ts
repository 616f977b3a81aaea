import { Ajv, type ErrorObject } from 'ajv'
import type { Operation, ProblemCode } from '@nextscale/openapi'
import type { FastifySchemaCompiler, FastifySchema } from 'fastify'
import { TRUSTED_SCHEMAS, withoutNames } from '../parser.ts'
import { summarise, toFieldErrors } from './field-errors.ts'
import { ProblemError } from './problem.ts'
import { shown } from './shown.ts'
import { asSpelt } from './spelt-numbers.ts'
import { withoutNulls } from './without-nulls.ts'

const shared = { ...TRUSTED_SCHEMAS, removeAdditional: false, useDefaults: false, allErrors: true, verbose: true } as const

/** JSON says what type a value has, so nothing in a body is converted: "4" is not a number. */
const bodies = new Ajv({ ...shared, coerceTypes: false })
/** Query strings and paths are text, so numbers in them are read from text. */
const texts = new Ajv({ ...shared, coerceTypes: true })

const POINTER_PREFIX: Record<string, string> = { querystring: '/query', params: '/path', headers: '/headers' }

const notFoundCode = (operation: Operation): ProblemCode | undefined =>
  operation.problems.find((code) => code.endsWith('_not_found'))

/** An id that cannot exist is an id that does not exist: a malformed one in the path is a 404, like any other. */
const malformedPath = (operation: Operation, errors: readonly ErrorObject[]): ProblemError | undefined => {
  const code = notFoundCode(operation)
  return code && new ProblemError(code, `${shown(errors[0]?.data)} is not an id this server issues.`)
}

const invalidFields = (errors: readonly ErrorObject[], prefix: string, root?: unknown): ProblemError => {
  const fields = toFieldErrors(errors, prefix, root)
  return new ProblemError('invalid_request', summarise(fields), { errors: fields })
}

const textProblem = (operation: Operation, part: string, errors: readonly ErrorObject[]): ProblemError =>
  (part === 'params' ? malformedPath(operation, errors) : undefined) ?? invalidFields(errors, POINTER_PREFIX[part] ?? '')

const bodyProblem = (body: unknown, errors: readonly ErrorObject[]): ProblemError => {
  if (body !== undefined && body !== null) return invalidFields(errors, '', asSpelt(body))
  const detail = 'The request needs a JSON object as its body; `{}` is enough.'
  return new ProblemError('invalid_request', detail, { errors: [{ pointer: '', detail }] })
}

/** Makes of each part of a request of the operation what its handler gets, or the problem with it. */
export const validatorsOf =
  (operation: Operation): FastifySchemaCompiler<FastifySchema> =>
  ({ schema, httpPart = '' }) => {
    const ofBody = httpPart === 'body'
    const fits = (ofBody ? bodies : texts).compile(ofBody ? withoutNames(schema) : schema)
    return (value: unknown) => {
      const isRight = fits(value)
      if (!isRight) {
        const errors = fits.errors ?? []
        return { error: ofBody ? bodyProblem(value, errors) : textProblem(operation, httpPart, errors) }
      }
      return ofBody ? { value: withoutNulls(value, operation.nullValues ?? []) } : true
    }
  }
