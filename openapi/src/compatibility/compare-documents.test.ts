import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { compareDocuments } from './compare-documents.ts'
import type { JsonObject } from './json.ts'

const readDocument = async (name: string) =>
  JSON.parse(await readFile(new URL(`../../${name}`, import.meta.url), 'utf8')) as JsonObject

const BEFORE = {
  paths: {
    '/things/{id}': {
      post: {
        operationId: 'makeThing',
        security: [],
        parameters: [
          { in: 'path', name: 'id', required: true, schema: { type: 'string' } },
          { in: 'query', name: 'wait', schema: { type: 'integer', maximum: 60 } }
        ],
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Request' } } } },
        responses: {
          200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
          404: { content: {} }
        }
      }
    }
  },
  components: {
    schemas: {
      Request: {
        type: 'object',
        properties: {
          size: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }] },
          steps: { anyOf: [{ type: 'integer', maximum: 8 }, { type: 'array' }, { type: 'null' }] },
          unit: { type: ['string', 'null'], enum: ['px', 'mm', null] },
          format: { type: 'string', enum: ['png', 'webp'] },
          name: { type: 'string', maxLength: 9 }
        }
      },
      Thing: {
        type: 'object',
        required: ['id', 'parts'],
        properties: { id: { type: 'string' }, parts: { type: 'array', items: { $ref: '#/components/schemas/Thing' } } }
      }
    }
  }
}

/** What is said about a change of the text of the document. */
const saidOf = (from: string, to: string): string[] => {
  const text = JSON.stringify(BEFORE)
  assert.ok(text.includes(from), from)
  return compareDocuments(JSON.parse(text) as JsonObject, JSON.parse(text.replace(from, to)) as JsonObject)
}

for (const [what, from, to, said] of [
  ['a path is gone', '"/things/{id}":', '"/other/{id}":', /^POST \/things\/\{id\} is gone$/],
  ['a method is gone', '"post":', '"put":', /is gone$/],
  ['an operation is renamed', '"makeThing"', '"createThing"', /operationId was makeThing$/],
  ['a key is needed', '"security":[]', '"security":[{"apiKey":[]}]', /a key is now needed$/],
  ['a parameter is gone', '"name":"wait"', '"name":"hold"', /parameter query wait is no longer taken$/],
  ['a parameter is required', '"name":"wait",', '"name":"wait","required":true,', /parameter query wait is now required$/],
  ['a body is required', '"requestBody":{', '"requestBody":{"required":true,', /a body is now required$/],
  ['a limit is lower', '"maximum":60', '"maximum":30', /query wait: maximum is narrower$/],
  ['a limit is new', '"name":{"type":"string",', '"name":{"type":"string","minLength":1,', /\.name: minLength is narrower$/],
  ['a pattern is new', '"name":{"type":"string",', '"name":{"type":"string","pattern":"x",', /\.name: pattern is narrower$/],
  ['a request field is gone', '"format":{', '"kind":{', /"format" is no longer taken$/],
  ['a request field is required', '"Request":{', '"Request":{"required":["size"],', /"size" is now required$/],
  ['a value is gone', '["png","webp"]', '["png"]', /\.format: "webp" is no longer taken$/],
  ['a type is another', '"name":{"type":"string"', '"name":{"type":"integer"', /\.name: was string, is integer$/],
  ['null is gone', ',{"type":"null"}', '', /\.size: null is no longer taken$/],
  ['null is gone from a list of types', '["string","null"]', '"string"', /\.unit: null is no longer taken$/],
  ['a kind is gone', ',{"type":"array"}', '', /\.steps: takes fewer kinds$/],
  ['a limit of what may be null is higher', '"minimum":1', '"minimum":2', /\.size: minimum is narrower$/],
  ['a limit in a kind is lower', '"maximum":8', '"maximum":4', /\.steps\|0: maximum is narrower$/],
  ['a value of what may be null is gone', '"px",', '', /\.unit: "px" is no longer taken$/],
  ['a response field is gone', '"properties":{"id":', '"properties":{"key":', /"id" is no longer sent$/],
  ['a response field may be missing', '["id","parts"]', '["id"]', /"parts" is no longer always sent$/],
  ['a response field has another type', '{"id":{"type":"string"}', '{"id":{"type":"number"}', /\.id: was string, is number$/],
  [
    'a response field may be null',
    '{"id":{"type":"string"}',
    '{"id":{"anyOf":[{"type":"string"},{"type":"null"}]}',
    /\.id: may now be null$/
  ],
  [
    'a response field may have another type',
    '{"id":{"type":"string"}',
    '{"id":{"type":["string","number"]}',
    /\.id: was string, is /
  ],
  [
    'a response field may be of several kinds',
    '{"id":{"type":"string"}',
    '{"id":{"anyOf":[{"type":"string"},{"type":"number"}]}',
    /\.id: may now be of several kinds$/
  ],
  ['a status is gone', '"200":', '"201":', /: 200 is no longer answered$/],
  [
    'a media type is gone',
    '"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Thing"',
    '"content":{"text/plain":{"schema":{"$ref":"#/components/schemas/Thing"',
    /response application\/json is gone$/
  ]
] as const) {
  test(`it breaks callers when ${what}`, () => {
    const lines = saidOf(from, to)
    assert.ok(
      lines.some((line) => said.test(line)),
      lines.join('\n')
    )
  })
}

for (const [what, from, to] of [
  ['nothing changes', '"post"', '"post"'],
  ['a path is added', '"paths":{', '"paths":{"/new":{"get":{"responses":{}}},'],
  ['an optional field is added to a request', '"format":{', '"extra":{"type":"string"},"format":{'],
  ['a value is added to a request', '["png","webp"]', '["png","webp","jpeg"]'],
  ['a limit is raised', '"maximum":60', '"maximum":90'],
  ['a request field may be null', '"name":{"type":"string"', '"name":{"type":["string","null"]'],
  [
    'null is written in another way',
    '{"anyOf":[{"type":"integer","minimum":1},{"type":"null"}]}',
    '{"type":["integer","null"],"minimum":1}'
  ],
  ['a field is added to a response', '"properties":{"id":', '"properties":{"new":{"type":"string"},"id":'],
  ['a problem is no longer answered', '"404":', '"410":']
] as const) {
  test(`it breaks nobody when ${what}`, () => {
    assert.deepEqual(saidOf(from, to), [])
  })
}

test('the contract breaks nothing of the published one (npm run publish-document -w openapi publishes it)', async () => {
  assert.deepEqual(compareDocuments(await readDocument('published.json'), await readDocument('openapi.json')), [])
})
