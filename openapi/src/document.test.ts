import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { buildDocument, renderDocument } from './document.ts'
import { problemsByStatus } from './operation.ts'
import { operations } from './operations/index.ts'
import { TEST_WEBHOOK_EVENT, WEBHOOK_EVENTS } from './schemas/webhook.ts'

const committed = await readFile(new URL('../openapi.json', import.meta.url), 'utf8')

test('openapi.json is what the operations make it (npm run generate writes it)', async () => {
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

type Schema = Record<string, unknown>
type Paths = Record<string, { post?: { tags: string[] } }>

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null

/** Every schema inside one, itself included, with the path that leads there. */
const schemasIn = (schema: unknown, path: string): [string, Schema][] => {
  if (!isSchema(schema)) return []
  const inner = Object.entries(schema).flatMap(([key, value]) => (key === 'example' ? [] : schemasIn(value, `${path}/${key}`)))
  return [[path, schema], ...inner]
}

const { components, paths } = JSON.parse(committed) as { components: { schemas: Record<string, Schema> }; paths: Schema }
const named = Object.entries(components.schemas).flatMap(([name, schema]) => schemasIn(schema, name))

test('every field of a body is described where it stands, so that editors show it', () => {
  const fields = named.flatMap(([path, { properties }]) =>
    isSchema(properties) ? Object.entries(properties).map(([name, field]) => [`${path}.${name}`, field] as const) : []
  )
  assert.ok(fields.length > 150)
  for (const [path, field] of fields) assert.ok(isSchema(field) && field['description'], path)
  for (const [name, { description }] of Object.entries(components.schemas)) assert.ok(description, name)
})

test('every object has a name, which generators call its type by', () => {
  const objects = [...named, ...schemasIn(paths, '')].filter(([, { properties }]) => isSchema(properties)).map(([path]) => path)
  assert.deepEqual(objects.toSorted(), objects.filter((path) => path in components.schemas).toSorted())
})

test('null is a type among others, or a branch beside references and kinds, which is all that generators take', () => {
  const unions = named.filter(([, { anyOf }]) => Array.isArray(anyOf) && anyOf.some(({ type }) => type === 'null'))
  assert.ok(unions.length > 10)
  for (const [path, { anyOf }] of unions) {
    const others = (anyOf as Schema[]).filter(({ type }) => type !== 'null')
    assert.ok(others.length > 1 || typeof others[0]?.['$ref'] === 'string', path)
  }
  for (const [path, { type, enum: values }] of named)
    if (Array.isArray(values)) assert.equal(values.includes(null), Array.isArray(type) && type.includes('null'), path)
})

/** Fields of request bodies that may be null. */
const nullableFields = (schema: Schema, path: string): [string, boolean][] => {
  const required = JSON.stringify(schema['required'] ?? [])
  return Object.entries(schema['properties'] ?? {}).flatMap(([name, field]: [string, Schema]) => {
    const branches = (field['anyOf'] ?? []) as Schema[]
    const isNullable = [field, ...branches].some(({ type }) => type === 'null' || (Array.isArray(type) && type.includes('null')))
    const inner = branches.flatMap((branch) => nullableFields(branch, `${path}.${name}`))
    return [[`${path}.${name}`, isNullable === !required.includes(`"${name}"`)], ...inner]
  })
}

test('a field of a request may be null if, and only if, it may be left out', () => {
  const fields = operations.flatMap(({ operationId, body }) => (body ? nullableFields(body as Schema, operationId) : []))
  assert.ok(fields.length > 45)
  assert.deepEqual(
    fields.filter(([, isRight]) => !isRight),
    []
  )
})

test('every number of a request has limits, within which JSON says it exactly', () => {
  const requests = named.filter(([path]) => /^(Generate|Continue)Request/.test(path))
  const numbers = requests.filter(([, { type }]) => [type].flat().some((name) => name === 'integer' || name === 'number'))
  assert.ok(numbers.length > 20)
  for (const [path, { minimum, exclusiveMinimum, maximum }] of numbers) {
    assert.ok(Number(minimum ?? exclusiveMinimum) >= 0, path)
    assert.ok(Number.isSafeInteger(maximum), path)
  }
})

test('every webhook event is in the document', () => {
  const { webhooks, components } = JSON.parse(committed) as Record<'webhooks' | 'components', { pathItems: Paths }>
  const events = [...WEBHOOK_EVENTS, TEST_WEBHOOK_EVENT]
  assert.deepEqual(Object.keys(webhooks), events)
  assert.deepEqual(Object.keys(components.pathItems), events)
  const ownTags = Object.values(components.pathItems).map(({ post }) => post?.tags)
  assert.deepEqual(
    ownTags,
    events.map(() => ['webhook-events'])
  )
  assert.ok(operations.every(({ tag }) => String(tag) !== 'webhook-events'))
})
