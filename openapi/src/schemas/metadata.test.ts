import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GenerateImagePayload } from '../jobs/generate-image.ts'
import { GenerateRequest } from './generate-request.ts'
import { Generation } from './generation.ts'

test('the value of every name in metadata is stated to be a text', () => {
  for (const { properties } of [GenerateRequest, Generation, GenerateImagePayload]) {
    const { additionalProperties, patternProperties } = JSON.parse(JSON.stringify(properties.metadata))
    assert.equal(additionalProperties.type, 'string')
    assert.equal(patternProperties, undefined)
  }
})
