import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Json, prepareForGo } from './prepare-for-go.ts'

const prepare = (schemas: Json, responses: Json = {}) =>
  prepareForGo({ paths: { '/a': { get: { responses } } }, components: { schemas } })

const kind = (name: string): Json => ({ type: 'object', properties: { event: { type: 'string', const: name } } })

describe('the document for Go', () => {
  it('names objects after the path that leads to them', () => {
    const inner = { type: 'object', properties: { b_c: { type: 'number' } } }
    const prepared = prepare({ A: { type: 'object', properties: { some_list: { type: 'array', items: inner } } } })
    assert.deepEqual(Object.entries(prepared as object).find(([key]) => key === 'components')?.[1], {
      schemas: {
        ASomeList: { type: 'object', properties: { b_c: { type: 'number', format: 'double' } } },
        A: { type: 'object', properties: { some_list: { type: 'array', items: { $ref: '#/components/schemas/ASomeList' } } } }
      }
    })
  })

  it('names the objects of a union after what tells them apart', () => {
    const text = JSON.stringify(prepare({ Event: { anyOf: [kind('start'), kind('end')] } }))
    assert.match(text, /"EventStart":.*"EventEnd":.*"Event":\{"anyOf":\[\{"\$ref":"#\/components\/schemas\/EventStart"\}/)
  })

  it('refuses to give two objects one name', () => {
    assert.throws(() => prepare({ Event: { anyOf: [kind('end'), kind('end')] } }), /two schemas would be called EventEnd/)
  })

  it('moves what is said of a value that may be null to its field', () => {
    const text = JSON.stringify(prepare({ A: { anyOf: [{ type: 'string', description: 'A name.' }, { type: 'null' }] } }))
    assert.match(text, /"type":"null"\}\],"description":"A name\."/)
  })

  it('makes one problem of all that an operation may answer', () => {
    const problem = { content: { 'application/problem+json': {} } }
    const text = JSON.stringify(prepare({}, { 200: { description: 'Done.' }, 404: problem, 500: problem }))
    assert.match(text, /"responses":\{"200":\{"description":"Done\."\},"default":\{/)
  })

  it('leaves out webhooks, whose schemas nothing else may refer to', () => {
    const prepared = prepareForGo({ webhooks: { ended: {} }, components: { schemas: {} }, paths: {} })
    assert.deepEqual(prepared, { components: { schemas: {} }, paths: {} })
  })
})
