import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { createConfig, lintFromString } from '@redocly/openapi-core'

const committed = await readFile(new URL('../openapi.json', import.meta.url), 'utf8')

const RULES = {
  'operation-description': 'error',
  'operation-singular-tag': 'error',
  'operation-operationId-url-safe': 'error',
  'no-unused-components': 'error',
  'no-invalid-media-type-examples': 'error',
  'no-schema-type-mismatch': 'error',
  'tag-description': 'error'
} as const

const complaintsAbout = async (source: string): Promise<string[]> => {
  const config = await createConfig({ extends: ['recommended-strict'], rules: RULES })
  const problems = await lintFromString({ source, config })
  return problems.map(({ ruleId, message, location: [place] }) => `${ruleId}: ${message} (${place?.pointer})`)
}

test('the linter has nothing to say about the contract', async () => {
  assert.deepEqual(await complaintsAbout(committed), [])
})

for (const [rule, from, to] of [
  ['operation-operationId', '"operationId": "getModel",', ''],
  ['operation-operationId-unique', '"operationId": "getModel"', '"operationId": "getHealth"'],
  ['no-unresolved-refs', '#/components/schemas/ModelList"', '#/components/schemas/Absent"'],
  ['no-unused-components', '"schemas": {', '"schemas": { "Unused": { "type": "object" },'],
  ['security-defined', '"apiKey": []', '"absent": []'],
  ['no-invalid-media-type-examples', '"class_name": "fox"', '"class_nam": "red fox"']
] as const) {
  test(`it would say so if the contract broke ${rule}`, async () => {
    assert.ok(committed.includes(from))
    const complaints = await complaintsAbout(committed.replace(from, to))
    assert.ok(
      complaints.some((complaint) => complaint.startsWith(`${rule}:`)),
      complaints.join('\n')
    )
  })
}

interface MediaType {
  example?: unknown
  examples?: object
}
interface Operation {
  requestBody?: { content: Record<string, MediaType> }
  responses: Record<string, { content?: Record<string, MediaType> }>
}
type Paths = Record<string, Record<string, Operation>>

test('every body in the document has an example', () => {
  const { paths, components } = JSON.parse(committed) as { paths: Paths; components: { pathItems: Paths } }
  for (const [path, item] of Object.entries({ ...paths, ...components.pathItems })) {
    for (const [method, { requestBody, responses }] of Object.entries(item)) {
      const contents = [requestBody, ...Object.values(responses)].map((part) => part?.content ?? {})
      for (const content of contents) {
        for (const [type, { example, examples }] of Object.entries(content))
          assert.ok(example ?? Object.keys(examples ?? {})[0], `${method} ${path} ${type}`)
      }
    }
  }
})
