import { compareSchemas, type Direction } from './compare-schemas.ts'
import { asArray, asObject, asText, type Json, type JsonObject } from './json.ts'

/** What stays the same while an operation is compared. */
interface Pair {
  before: JsonObject
  after: JsonObject
  name: string
}

const compareContents = (
  { before, after, name }: Pair,
  old: Json | undefined,
  now: Json | undefined,
  direction: Direction
): string[] => {
  const next = asObject(asObject(now)['content'])
  return Object.entries(asObject(asObject(old)['content'])).flatMap(([type, media]) => {
    if (!(type in next)) return [`${name}: ${direction} ${type} is gone`]
    const schema = asObject(asObject(media)['schema'])
    const other = asObject(asObject(next[type])['schema'])
    return compareSchemas({ document: before, schema }, { document: after, schema: other }, direction, `${name} ${direction}`)
  })
}

const parametersOf = (operation: JsonObject): Map<string, JsonObject> =>
  new Map(
    asArray(operation['parameters']).map((parameter) => [
      `${asText(asObject(parameter)['in'])} ${asText(asObject(parameter)['name'])}`,
      asObject(parameter)
    ])
  )

const compareParameters = ({ before, after, name }: Pair, old: JsonObject, now: JsonObject): string[] => {
  const [known, next] = [parametersOf(old), parametersOf(now)]
  const demanded = [...next].filter(([key, { required }]) => required === true && known.get(key)?.['required'] !== true)
  const changed = [...known].flatMap(([key, parameter]) => {
    const other = next.get(key)
    if (!other) return [`${name}: parameter ${key} is no longer taken`]
    const sides = [
      { document: before, schema: asObject(parameter['schema']) },
      { document: after, schema: asObject(other['schema']) }
    ] as const
    return compareSchemas(...sides, 'request', `${name} ${key}`)
  })
  return [...demanded.map(([key]) => `${name}: parameter ${key} is now required`), ...changed]
}

const compareOperations = (pair: Pair, old: JsonObject, now: JsonObject): string[] => {
  const { name } = pair
  const [answers, next] = [asObject(old['responses']), asObject(now['responses'])]
  const isSuccess = (status: string) => status.startsWith('2')
  const renamed = old['operationId'] === now['operationId'] ? [] : [`${name}: operationId was ${asText(old['operationId'])}`]
  const [body, nextBody] = [asObject(old['requestBody']), asObject(now['requestBody'])]
  const demanded = body['required'] !== true && nextBody['required'] === true ? [`${name}: a body is now required`] : []
  const secured =
    asArray(old['security']).length === 0 && asArray(now['security']).length > 0 ? [`${name}: a key is now needed`] : []
  const responses = Object.entries(answers).flatMap(([status, answer]) => {
    if (!(status in next)) return isSuccess(status) ? [`${name}: ${status} is no longer answered`] : []
    return compareContents({ ...pair, name: `${name} ${status}` }, answer, next[status], 'response')
  })
  return [
    ...renamed,
    ...secured,
    ...demanded,
    ...compareParameters(pair, old, now),
    ...compareContents(pair, body, nextBody, 'request'),
    ...responses
  ]
}

/** What breaks for callers between two versions of an OpenAPI document, one line each; nothing for additions. */
export const compareDocuments = (before: JsonObject, after: JsonObject): string[] => {
  const paths = asObject(after['paths'])
  const lines = Object.entries(asObject(before['paths'])).flatMap(([path, item]) =>
    Object.entries(asObject(item)).flatMap(([method, operation]) => {
      const name = `${method.toUpperCase()} ${path}`
      const now = asObject(paths[path])[method]
      return now === undefined
        ? [`${name} is gone`]
        : compareOperations({ before, after, name }, asObject(operation), asObject(now))
    })
  )
  return [...new Set(lines)]
}
