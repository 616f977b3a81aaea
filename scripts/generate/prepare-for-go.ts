export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type JsonObject = { [key: string]: Json }

const LARGEST_INT32 = 2 ** 31 - 1
const PROBLEM = 'application/problem+json'

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const hasType = ({ type }: JsonObject, name: string) => type === name || (Array.isArray(type) && type.includes(name))

/** Go's own format of a number; `undefined` for what is none. */
const formatOf = (schema: JsonObject): string | undefined => {
  if (hasType(schema, 'number')) return 'double'
  return hasType(schema, 'integer') && Number(schema['maximum']) > LARGEST_INT32 ? 'int64' : undefined
}

/** The schema with the formats of its numbers, and without `null` among the values of enumerations, which is none of Go's. */
const forGo = (schema: Json): Json => {
  if (Array.isArray(schema)) return schema.map(forGo)
  if (!isObject(schema)) return schema
  const result = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, forGo(value)]))
  const { enum: values } = schema
  const format = formatOf(schema)
  return {
    ...result,
    ...(Array.isArray(values) && { enum: values.filter((value) => value !== null) }),
    ...(format !== undefined && { format })
  }
}

/** All problems of an operation as one: the code tells them apart, not the status. */
const withOneProblem = (responses: JsonObject): JsonObject => {
  const isProblem = (response: Json) => isObject(response) && isObject(response['content']) && PROBLEM in response['content']
  const expected = Object.entries(responses).filter(([, response]) => !isProblem(response))
  const content = { [PROBLEM]: { schema: { $ref: '#/components/schemas/Problem' } } }
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
 * The document as Go likes it: float64 for numbers and int64 for large integers, and one problem for each operation instead of one
 * for each status. What is sent and received is the same. Webhooks, which a client does not send, are left out.
 */
export const prepareForGo = (document: Json): Json => {
  if (!isObject(document) || !isObject(document['components']) || !isObject(document['paths'])) return document
  const { webhooks: _, ...called } = document
  const { pathItems: __, ...components } = document['components']
  return {
    ...called,
    components: { ...components, schemas: forGo(components['schemas'] ?? {}) },
    paths: withOneProblemEach(document['paths'])
  }
}
