export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type JsonObject = { [key: string]: Json }

const LARGEST_INT32 = 2 ** 31 - 1
const PROBLEM = 'application/problem+json'
const REFERENCE = '#/components/schemas/'

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const pascal = (name: string) => name.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())

/** What tells one object of a union from the others, as a part of a name. */
const kindOf = (properties: JsonObject): string => {
  const kinds = Object.values(properties).map((property) => (isObject(property) ? property['const'] : undefined))
  const kind = kinds.find((value) => typeof value === 'string')
  return typeof kind === 'string' ? pascal(kind) : ''
}

/** The schema with double numbers, and with each object inside it moved to `found`, named after the path that leads there. */
const withNames = (schema: Json, name: string, found: JsonObject): Json => {
  if (Array.isArray(schema)) return schema.map((item) => withNames(item, name, found))
  if (!isObject(schema)) return schema
  const result: JsonObject = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key !== 'properties' || !isObject(value)) result[key] = withNames(value, name, found)
    else
      result[key] = Object.fromEntries(
        Object.entries(value).map(([field, inner]) => [field, withNames(inner, name + pascal(field), found)])
      )
  }
  if (schema['type'] === 'number') result['format'] = 'double'
  if (schema['type'] === 'integer' && Number(schema['maximum']) > LARGEST_INT32) result['format'] = 'int64'
  if (!isObject(schema['properties'])) return result
  const ownName = name + kindOf(schema['properties'])
  if (found[ownName]) throw new Error(`two schemas would be called ${ownName}`)
  found[ownName] = result
  return { $ref: `${REFERENCE}${ownName}` }
}

/** A described value that may be null: what is said of it is said of the field. */
const withDescriptions = (schema: Json): Json => {
  if (Array.isArray(schema)) return schema.map(withDescriptions)
  if (!isObject(schema)) return schema
  const result = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withDescriptions(value)]))
  const variants = schema['anyOf']
  const said = Array.isArray(variants) ? variants.filter(isObject).find(({ description }) => description) : undefined
  return said?.['description'] === undefined || schema['description'] ? result : { ...result, description: said['description'] }
}

/** All problems of an operation as one: the code tells them apart, not the status. */
const withOneProblem = (responses: JsonObject): JsonObject => {
  const isProblem = (response: Json) => isObject(response) && isObject(response['content']) && PROBLEM in response['content']
  const expected = Object.entries(responses).filter(([, response]) => !isProblem(response))
  const content = { [PROBLEM]: { schema: { $ref: `${REFERENCE}Problem` } } }
  return { ...Object.fromEntries(expected), default: { description: 'What went wrong.', content } }
}

const withOneProblemEach = (paths: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [
      path,
      Object.fromEntries(
        Object.entries(isObject(item) ? item : {}).map(([method, operation]) => {
          if (!isObject(operation) || !isObject(operation['responses'])) return [method, operation]
          return [method, { ...operation, responses: withOneProblem(operation['responses']) }]
        })
      )
    ])
  )

/**
 * The document as Go likes it: named structs instead of nested ones, float64 for numbers and int64 for large integers, and one
 * problem for each operation instead of one for each status. What is sent and received is the same. Webhooks, which a client does
 * not send, are left out.
 */
export const prepareForGo = (document: Json): Json => {
  if (!isObject(document) || !isObject(document['components']) || !isObject(document['paths'])) return document
  const { webhooks: _, ...called } = document
  const schemas: JsonObject = {}
  for (const [name, schema] of Object.entries(document['components']['schemas'] ?? {})) {
    const rest = withNames(withDescriptions(schema), name, schemas)
    schemas[name] ??= rest
  }
  return {
    ...called,
    components: { ...document['components'], schemas },
    paths: withOneProblemEach(document['paths'])
  }
}
