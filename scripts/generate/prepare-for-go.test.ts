import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Json, prepareForGo } from './prepare-for-go.ts'

const prepare = (schemas: Json, responses: Json = {}) =>
  prepareForGo({ paths: { '/a': { get: { responses } } }, components: { schemas } })

const prepared = (schema: Json): string => {
  const [, found] = /"A":(.*)\}\}\}$/.exec(JSON.stringify(prepare({ A: schema }))) ?? []
  return found ?? assert.fail('It is gone')
}

describe('the document for Go', () => {
  it('says how wide numbers are, where they may be null and inside of lists too', () => {
    const wide = { type: ['integer', 'null'], maximum: 2 ** 32 }
    assert.match(prepared({ type: 'object', properties: { b: { type: 'number' } } }), /"b":\{"type":"number","format":"double"\}/)
    assert.match(prepared({ type: 'array', items: { type: ['number', 'null'] } }), /"null"\],"format":"double"\}/)
    assert.match(prepared(wide), /"format":"int64"/)
    for (const other of [{ type: 'integer', maximum: 2 ** 31 - 1 }, { type: 'integer' }, { type: 'string' }])
      assert.doesNotMatch(prepared(other), /format/)
  })

  it('has no null among the values of an enumeration, which its type has', () => {
    assert.equal(prepared({ type: ['string', 'null'], enum: ['a', null] }), '{"type":["string","null"],"enum":["a"]}')
  })

  it('makes one problem of all that an operation may answer', () => {
    const problem = { content: { 'application/problem+json': {} } }
    const text = JSON.stringify(prepare({}, { 200: { description: 'Done.' }, 404: problem, 500: problem }))
    assert.match(text, /"responses":\{"200":\{"description":"Done\."\},"default":\{/)
  })

  it('leaves out webhooks, whose schemas nothing else may refer to', () => {
    const document = { webhooks: { ended: {} }, components: { schemas: {}, pathItems: { ended: {} } }, paths: {} }
    assert.deepEqual(prepareForGo(document), { components: { schemas: {} }, paths: {} })
  })
})
