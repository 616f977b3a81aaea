import assert from 'node:assert/strict'
import { allResponses, contentTypesOf, type Operation } from '@nextscale/openapi'
import { parserOf } from '../contract/parser.ts'

interface Response {
  statusCode: number
  headers: Record<string, unknown>
  body: string
}

/** Fails unless a response is one the contract states for the operation, body and media type included. */
export const assertKept = (operation: Operation, response: Response): void => {
  const stated = allResponses(operation)[response.statusCode]
  assert.ok(stated, `${operation.operationId} does not state ${response.statusCode}: ${response.body}`)
  if (!stated.schema) {
    assert.equal(response.body, '')
    return
  }
  const mediaType = String(response.headers['content-type']).split(';')[0]
  assert.ok(contentTypesOf(stated).includes(mediaType ?? ''), `${operation.operationId} does not state ${mediaType}`)
  assert.notEqual(parserOf(stated.schema)(JSON.parse(response.body)), undefined, `Not the stated body: ${response.body}`)
}
