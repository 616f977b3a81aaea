import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { buildDocument, renderDocument } from './document.ts'
import { problemsByStatus } from './operation.ts'
import { operations } from './operations/index.ts'
import { TEST_WEBHOOK_EVENT, WEBHOOK_EVENTS } from './schemas/webhook.ts'

const committed = await readFile(new URL('../openapi.json', import.meta.url), 'utf8')

test('openapi.json is what the operations make it (npm run document -w openapi writes it)', async () => {
  assert.equal(committed, await renderDocument())
})

test('every reference leads to a component', () => {
  const document = JSON.parse(committed) as { components: { schemas: Record<string, unknown> } }
  const references = [...committed.matchAll(/"\$ref": "#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name ?? '')
  assert.ok(references.length > 20)
  for (const name of references) assert.ok(document.components.schemas[name], name)
})

test('every operation is in the document with every status it may answer', async () => {
  const { paths = {} } = await buildDocument()
  for (const operation of operations) {
    const item = paths[operation.path] as Record<string, { operationId: string; responses: object }> | undefined
    const described = item?.[operation.method.toLowerCase()]
    assert.equal(described?.operationId, operation.operationId)
    const expected = [...Object.keys(operation.responses), ...[...problemsByStatus(operation).keys()].map(String)]
    assert.deepEqual(Object.keys(described?.responses ?? {}).toSorted(), [...new Set(expected)].toSorted())
  }
})

test('operation ids and routes are unique', () => {
  const routes = operations.map(({ method, path }) => `${method} ${path}`)
  assert.equal(new Set(routes).size, operations.length)
  assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length)
})

test('every webhook event is in the document', () => {
  const { webhooks = {} } = JSON.parse(committed) as { webhooks?: object }
  assert.deepEqual(Object.keys(webhooks), [...WEBHOOK_EVENTS, TEST_WEBHOOK_EVENT])
})
