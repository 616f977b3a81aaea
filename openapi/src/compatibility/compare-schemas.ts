import { asArray, asObject, asText, asTexts, type JsonObject } from './json.ts'

/** Whether callers send a value of the schema or receive it: what may be widened for one may not be for the other. */
export type Direction = 'request' | 'response'

interface Side {
  document: JsonObject
  schema: JsonObject
}

const resolve = (document: JsonObject, schema: JsonObject): JsonObject => {
  const { $ref: reference } = schema
  if (typeof reference !== 'string') return schema
  return asObject(asObject(asObject(document['components'])['schemas'])[reference.split('/').at(-1) ?? ''])
}

/** A schema without its `null`, and whether it had one, however that is written: among its types, or as a branch. */
const splitNull = (schema: JsonObject): { schema: JsonObject; isNullable: boolean } => {
  const branches = asArray(schema['anyOf']).map(asObject)
  const others = branches.filter(({ type }) => type !== 'null')
  const [only] = others
  if (others.length < branches.length)
    return { schema: only && others.length === 1 ? only : { ...schema, anyOf: others }, isNullable: true }
  const { type } = schema
  if (!Array.isArray(type) || !type.includes('null')) return { schema, isNullable: false }
  const values = Array.isArray(schema['enum']) && { enum: schema['enum'].filter((value) => value !== null) }
  return { schema: { ...schema, type: type.filter((name) => name !== 'null'), ...values }, isNullable: true }
}

const typesOf = ({ type }: JsonObject): string[] =>
  type === undefined ? [] : typeof type === 'string' ? [type] : asArray(type).map(asText)

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
  const [types, others] = [typesOf(before), typesOf(after)]
  const [taken, wanted] = direction === 'request' ? [others, types] : [types, others]
  const isOther = taken.length > 0 && wanted.some((type) => !taken.includes(type))
  return [
    ...gone.map((value) => `${place}: ${value} is no longer taken`),
    ...(isOther ? [`${place}: was ${types.join(' or ')}, is ${others.join(' or ')}`] : []),
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

const compareNull = (was: boolean, is: boolean, direction: Direction, place: string): string[] => {
  if (direction === 'request') return was && !is ? [`${place}: null is no longer taken`] : []
  return is && !was ? [`${place}: may now be null`] : []
}

/** What breaks for callers between two versions of a schema, one line each. */
export const compareSchemas = (
  { document, schema: old }: Side,
  next: Side,
  direction: Direction,
  place: string,
  seen: Set<string> = new Set()
): string[] => {
  const [was, is] = [splitNull(old), splitNull(next.schema)]
  const nulls = compareNull(was.isNullable, is.isNullable, direction, place)
  const key = `${direction} ${JSON.stringify([was.schema['$ref'], is.schema['$ref']])}`
  if (was.schema['$ref'] !== undefined && seen.has(key)) return nulls
  seen.add(key)
  const before = { document, schema: resolve(document, was.schema) }
  const after = { document: next.document, schema: resolve(next.document, is.schema) }
  const items: [JsonObject, JsonObject] = [asObject(before.schema['items']), asObject(after.schema['items'])]
  return [
    ...nulls,
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
