import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContinueRequest } from './continue-request.ts'
import { GenerateRequest } from './generate-request.ts'

const withDefaults = (schema: object) => JSON.stringify(schema).match(/"default":|Default \d/g)?.length ?? 0

test('a continuation has no defaults, which clients would send in place of what its parent has', () => {
  assert.equal(withDefaults(ContinueRequest), 0)
  assert.ok(withDefaults(GenerateRequest) > 5)
})
