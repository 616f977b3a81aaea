import { exampleProblem } from '../examples/problems.ts'
import { REQUEST_EXAMPLES } from '../examples/requests.ts'
import { RESPONSE_EXAMPLES } from '../examples/responses.ts'
import { problemsByStatus, type Operation } from '../operation.ts'
import { codeSamplesOf } from './code-samples.ts'

interface MediaType {
  example?: unknown
  examples?: object
}
interface Described {
  requestBody?: { content: Record<string, MediaType> }
  responses: Record<string, { content?: Record<string, MediaType> }>
  'x-codeSamples'?: object
}
/** The parts of an OpenAPI document that get examples. */
interface Illustrated {
  paths?: object
}

const describedBy = ({ paths = {} }: Illustrated, { path, method }: Operation): Described | undefined =>
  (paths as Record<string, Record<string, Described>>)[path]?.[method.toLowerCase()]

const illustrateBody = ({ requestBody }: Described, operation: Operation): unknown => {
  const examples = REQUEST_EXAMPLES[operation.operationId]
  const content = requestBody?.content['application/json']
  if (!examples || !content) return undefined
  content.examples = examples
  return Object.values(examples)[0]?.value
}

const illustrateResponses = ({ responses }: Described, operation: Operation): void => {
  const problems = problemsByStatus(operation)
  for (const [status, { content = {} }] of Object.entries(responses)) {
    for (const [mediaType, body] of Object.entries(content)) {
      const example = RESPONSE_EXAMPLES[operation.operationId]?.[Number(status)]?.[mediaType]
      if (example !== undefined) body.example = example
      else if (mediaType === 'application/problem+json') {
        const codes = problems.get(Number(status)) ?? []
        body.examples = Object.fromEntries(codes.map((code) => [code, { value: exampleProblem(code) }]))
      }
    }
  }
}

/** Puts examples and code samples into the document. */
export const illustrate = <D extends Illustrated>(document: D, operations: readonly Operation[]): D => {
  for (const operation of operations) {
    const described = describedBy(document, operation)
    if (!described) continue
    const body = illustrateBody(described, operation)
    illustrateResponses(described, operation)
    described['x-codeSamples'] = codeSamplesOf(operation, body)
  }
  return document
}
