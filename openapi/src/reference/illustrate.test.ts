import assert from 'node:assert/strict'
import { test } from 'node:test'
import Value from 'typebox/value'
import { exampleProblem } from '../examples/problems.ts'
import { REQUEST_EXAMPLES } from '../examples/requests.ts'
import { RESPONSE_EXAMPLES } from '../examples/responses.ts'
import { bodiesOf } from '../operation.ts'
import { operations } from '../operations/index.ts'
import { Problem, PROBLEM_CODES } from '../schemas/problem.ts'
import { codeSamplesOf } from './code-samples.ts'

test('every example of a request is one the contract takes', () => {
  for (const { operationId, body } of operations) {
    assert.equal(body === undefined, REQUEST_EXAMPLES[operationId] === undefined, `${operationId} in examples/requests.ts`)
    for (const [name, { value }] of Object.entries(REQUEST_EXAMPLES[operationId] ?? {}))
      assert.deepEqual(body && [...Value.Errors(body, value)], [], `${operationId} ${name}`)
  }
})

test('every body an operation answers with has an example, and each is one the contract states', () => {
  for (const { operationId, responses } of operations) {
    for (const [status, response] of Object.entries(responses)) {
      for (const [mediaType, schema] of Object.entries(bodiesOf(response))) {
        const example = RESPONSE_EXAMPLES[operationId]?.[Number(status)]?.[mediaType]
        assert.notEqual(example, undefined, `${operationId} ${status} ${mediaType} has none in examples/responses.ts`)
        if (mediaType !== 'image/*' && mediaType !== 'application/octet-stream')
          assert.deepEqual([...Value.Errors(schema, example)], [], `${operationId} ${status} ${mediaType}`)
      }
    }
  }
})

test('every problem has an example', () => {
  for (const code of PROBLEM_CODES) assert.deepEqual([...Value.Errors(Problem, exampleProblem(code))], [], code)
})

const PROBES = ['getHealth', 'getReadiness', 'getMetrics']

test('every operation says how to call it with curl, and what is not for probes, with the SDKs as well', () => {
  for (const operation of operations) {
    const languages = codeSamplesOf(operation, undefined).map(({ lang }) => lang)
    const withSdks = PROBES.includes(operation.operationId) ? [] : ['TypeScript', 'Python']
    assert.deepEqual(languages, ['curl', ...withSdks], `${operation.operationId} in reference/code-samples.ts`)
  }
  const [create] = operations
  assert.ok(create)
  const samples = codeSamplesOf(create, { seed: 7 })
  assert.deepEqual(
    samples.map(({ lang }) => lang),
    ['curl', 'TypeScript', 'Python']
  )
  assert.match(samples[0]?.source ?? '', /^curl -X POST 'http.*\/generate' .*Bearer .* -d '\{"seed":7\}'$/s)
})
