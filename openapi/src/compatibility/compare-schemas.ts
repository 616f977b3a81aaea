import { asArray, asObject, asText, asTexts, type Json, type JsonObject } from './json.ts'

/** Whether callers send a value of the schema or receive it: what may be widened for one may not be for the other. */
export type Direction = 'request' | 'response'

interface Side {
  document: JsonObject
  schema: JsonObject
}

const resolve = (document: JsonObject, value: Json | undefined): JsonObject => {
  const schema = asObject(value)
  const { $ref: reference } = schema
  if (typeof reference !== 'string') return schema
  return asObject(asObject(asObject(document['components'])['schemas'])[reference.split('/').at(-1) ?? ''])
}

const typesOf = ({ type, anyOf, enum: values, const: constant }: JsonObject): string[] => {
  if (anyOf !== undefined || (type === undefined && (values !== undefined || constant !== undefined))) return []
  return typeof type === 'string' ? [type] : asArray(type).map(asText)
}

const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']

/** Limits that callers may now run into. */
const narrowed = (before: JsonObject, after: JsonObject, place: string): string[] => {
  const isNarrower = (name: string, sign: number) => {
    const [old, now] = [before[name], after[name]]
    return typeof now === 'number' && (typeof old !== 'number' || (now - old) * sign > 0)
  }
  const names = [...LOWER.filter((name) => isNarrower(name, 1)), ...UPPER.filter((name) => isNarrower(name, -1))]
  if (after['pattern'] !== undefined && after['pattern'] !== before['pattern']) names.push('pattern')
  return names.map((name) => `${place}: ${name} is narrower`)
}

const compareValues = (before: JsonObject, after: JsonObject, direction: Direction, place: string): string[] => {
  const [old, now] = [asTexts(before['enum']), asTexts(after['enum'])]
  const gone = direction === 'request' && now.length > 0 ? old.filter((value) => !now.includes(value)) : []
  const types = typesOf(after)
  const lost = typesOf(before).filter((type) => types.length > 0 && !types.includes(type))
  return [
    ...gone.map((value) => `${place}: ${value} is no longer taken`),
    ...lost.map((type) => `${place}: was ${type}, is ${types.join(' or ')}`),
    ...(direction === 'request' ? narrowed(before, after, place) : [])
  ]
}

const compareFields = (before: Side, after: Side, direction: Direction, place: string, seen: Set<string>): string[] => {
  const [old, now] = [asObject(before.schema['properties']), asObject(after.schema['properties'])]
  const [needed, needs] = [asTexts(before.schema['required']), asTexts(after.schema['required'])]
  const is = direction === 'request' ? 'is no longer taken' : 'is no longer sent'
  const removed = Object.keys(old).filter((name) => !(name in now))
  const demanded =
    direction === 'request'
      ? needs.filter((name) => !needed.includes(name)).map((name) => `${place}: ${name} is now required`)
      : needed
          .filter((name) => !needs.includes(name) && JSON.parse(name) in now)
          .map((name) => `${place}: ${name} is no longer always sent`)
  const inner = Object.keys(old)
    .filter((name) => name in now)
    .flatMap((name) =>
      compareSchemas(
        { ...before, schema: asObject(old[name]) },
        { ...after, schema: asObject(now[name]) },
        direction,
        `${place}.${name}`,
        seen
      )
    )
  return [...removed.map((name) => `${place}: "${name}" ${is}`), ...demanded, ...inner]
}

/** What of a union's branches cannot be sent any more, or may newly be received. Branches are matched by their place. */
const compareBranches = (before: Side, after: Side, direction: Direction, place: string, seen: Set<string>): string[] => {
  const [old, now] = [asArray(before.schema['anyOf']), asArray(after.schema['anyOf'])]
  if (old.length === 0) return now.length > 0 && direction === 'response' ? [`${place}: may now be of several kinds`] : []
  if (now.length === 0) return direction === 'request' ? [`${place}: takes fewer kinds`] : []
  const fewer = direction === 'request' && now.length < old.length ? [`${place}: takes fewer kinds`] : []
  const more = direction === 'response' && now.length > old.length ? [`${place}: may be of more kinds`] : []
  const pairs = old.slice(0, now.length).flatMap((branch, i) => {
    const side = { ...after, schema: asObject(now[i]) }
    return compareSchemas({ ...before, schema: asObject(branch) }, side, direction, `${place}|${i}`, seen)
  })
  return [...fewer, ...more, ...pairs]
}

/** What breaks for callers between two versions of a schema, one line each. */
export const compareSchemas = (
  { document, schema }: Side,
  next: Side,
  direction: Direction,
  place: string,
  seen: Set<string> = new Set()
): string[] => {
  const key = `${direction} ${JSON.stringify([schema['$ref'], next.schema['$ref']])}`
  if (schema['$ref'] !== undefined && seen.has(key)) return []
  seen.add(key)
  const before = { document, schema: resolve(document, schema) }
  const after = { document: next.document, schema: resolve(next.document, next.schema) }
  const items: [JsonObject, JsonObject] = [asObject(before.schema['items']), asObject(after.schema['items'])]
  return [
    ...compareValues(before.schema, after.schema, direction, place),
    ...compareFields(before, after, direction, place, seen),
    ...compareBranches(before, after, direction, place, seen),
    ...(before.schema['items'] === undefined
      ? []
      : compareSchemas(
          { document, schema: items[0] },
          { document: next.document, schema: items[1] },
          direction,
          `${place}[]`,
          seen
        ))
  ]
}
