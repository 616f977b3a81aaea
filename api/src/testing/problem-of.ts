import assert from 'node:assert/strict'
import { Problem, type ProblemCode } from '@nextscale/openapi'
import { parserOf } from '../contract/parser.ts'

interface Answer {
  statusCode: number
  headers: Record<string, unknown>
  body: string
}

/** Fails unless the answer is a whole problem of this code; returns it. */
export const problemOf = (response: Answer, code: ProblemCode): Problem => {
  assert.match(String(response.headers['content-type']), /^application\/problem\+json/)
  const problem = parserOf(Problem)(JSON.parse(response.body)) ?? assert.fail(`Not a problem: ${response.body}`)
  assert.equal(problem.code, code, response.body)
  assert.equal(problem.status, response.statusCode)
  assert.equal(problem.type, `urn:nextscale:problem:${code}`)
  assert.equal(problem.request_id, response.headers['x-request-id'])
  return problem
}

export const pointersOf = (problem: Problem): string[] => problem.errors.map(({ pointer }) => pointer).toSorted()
