import type { ErrorObject } from 'ajv'
import { FORMS } from '@nextscale/openapi'
import { nearest } from './nearest.ts'
import type { FieldError } from './problem.ts'
import { shown } from './shown.ts'

const MAX_ERRORS = 20
/** A small body can have tens of thousands of Ajv errors; no more than these are looked at. */
const MAX_RAW_ERRORS = 50

/** What else is to be said of a field, whatever is wrong with it. */
const ADVICE: Readonly<Record<string, string>> = { '/seed': ' Leave it out for a random one.' }

/** A name as JSON pointers spell it. */
export const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')

const withArticle = (type: string) => (type === 'null' ? 'null' : `${/^[aio]/.test(type) ? 'an' : 'a'} ${type}`)

/** A parameter of an Ajv error; which ones exist depends on the keyword. */
const parameter = (error: ErrorObject, name: string): string => String(Reflect.get(error.params, name))

const listed = (error: ErrorObject, name: string): string[] => {
  const value: unknown = Reflect.get(error.params, name)
  return (Array.isArray(value) ? value : [value]).map(String)
}

const typesOf = (error: ErrorObject): string => listed(error, 'type').map(withArticle).join(' or ')

/** Alternatives in a row, `null` last. */
const anyOf = (alternatives: readonly string[]): string => {
  const others = [...new Set(alternatives)].filter((each) => each !== 'null')
  const all = alternatives.includes('null') ? [...others, 'null'] : others
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`
}

const valuesOf = (error: ErrorObject): string => {
  const values = listed(error, 'allowedValues')
  return `one of ${values.filter((value) => value !== 'null').join(', ')}${values.includes('null') ? ' or null' : ''}`
}

const unknownField = (error: ErrorObject): FieldError => {
  const name = parameter(error, 'additionalProperty')
  const known = Object.keys(error.parentSchema?.['properties'] ?? {})
  const [best] = nearest(name, known, { count: 1 })
  const hint = known.length === 0 ? 'There is no field here.' : `The fields are ${known.join(', ')}.`
  return {
    pointer: `${error.instancePath}/${escaped(name)}`,
    detail: best === undefined ? `Unknown field. ${hint}` : `Unknown field. Did you mean ${best}?`
  }
}

const counted = (error: ErrorObject, one: string, several: string): string => {
  const limit = parameter(error, 'limit')
  return `${limit} ${limit === '1' ? one : several}`
}

/** What each keyword asks for, as the second half of "Must …". */
const DEMANDS: Record<string, (error: ErrorObject) => string> = {
  type: (error) => `be ${typesOf(error)}`,
  enum: (error) => `be ${valuesOf(error)}`,
  minimum: (error) => `be at least ${parameter(error, 'limit')}`,
  maximum: (error) => `be at most ${parameter(error, 'limit')}`,
  exclusiveMinimum: (error) => `be greater than ${parameter(error, 'limit')}`,
  exclusiveMaximum: (error) => `be less than ${parameter(error, 'limit')}`,
  minLength: (error) => `have at least ${counted(error, 'character', 'characters')}`,
  maxLength: (error) => `have at most ${counted(error, 'character', 'characters')}`,
  maxItems: (error) => `have at most ${counted(error, 'entry', 'entries')}`,
  minItems: (error) => `have at least ${counted(error, 'entry', 'entries')}`,
  maxProperties: (error) => `have at most ${counted(error, 'field', 'fields')}`,
  uniqueItems: () => 'not repeat an entry',
  pattern: (error) => `be ${FORMS[parameter(error, 'pattern')] ?? 'of the right form'}`,
  format: (error) => `be a valid ${parameter(error, 'format')}`
}

const describe = (error: ErrorObject): FieldError => {
  if (error.keyword === 'additionalProperties') return unknownField(error)
  if (error.keyword === 'required') {
    return { pointer: `${error.instancePath}/${escaped(parameter(error, 'missingProperty'))}`, detail: 'Required, but missing.' }
  }
  const demand = DEMANDS[error.keyword]?.(error)
  if (demand === undefined) return { pointer: error.instancePath, detail: `The value ${error.message ?? 'is not valid'}.` }
  if (error.propertyName !== undefined) {
    return { pointer: error.instancePath, detail: `The name ${shown(error.propertyName)} must ${demand}.` }
  }
  return { pointer: error.instancePath, detail: `Must ${demand}, not ${shown(error.data)}.${ADVICE[error.instancePath] ?? ''}` }
}

/** An error of Ajv; that of a union has those of its branches below it. */
interface ErrorNode {
  error: ErrorObject
  branches: readonly ErrorNode[]
}

const isBelow = (path: string, root: string) => path === root || path.startsWith(`${root}/`)

const isInUnion = ({ error }: ErrorNode, union: ErrorObject) =>
  error.schemaPath.startsWith(`${union.schemaPath}/`) && isBelow(error.instancePath, union.instancePath)

/** Puts the errors of branches below their union. Ajv reports a union right after its branches, so one pass does. */
const toTree = (errors: readonly ErrorObject[]): ErrorNode[] => {
  const nodes: ErrorNode[] = []
  for (const error of errors) {
    let first = nodes.length
    if (error.keyword === 'anyOf') {
      for (let last = nodes.at(first - 1); first > 0 && last && isInUnion(last, error); last = nodes[first - 1]) first -= 1
    }
    nodes.push({ error, branches: nodes.splice(first) })
  }
  return nodes
}

/** That a value has not the type of one branch says nothing, unless its union says that no other branch fits. */
const isBranchType = ({ error }: ErrorNode) => error.keyword === 'type' && /\/anyOf\/\d+\/type$/.test(error.schemaPath)

/**
 * A union reports the errors of all its branches. Only those of the branch that was meant are of use: the one whose
 * type fits. When none fits, the types are named together.
 */
const describeNode = ({ error, branches }: ErrorNode): FieldError[] => {
  if (error.keyword !== 'anyOf') return [describe(error)]
  const types = branches.filter((node) => isBranchType(node) && node.error.instancePath === error.instancePath)
  const roots = types.map((node) => node.error.schemaPath.slice(0, -'type'.length))
  const meant = branches.filter((node) => !roots.some((root) => node.error.schemaPath.startsWith(root)))
  if (meant.length > 0) return meant.flatMap(describeNode)
  const allowed = types.flatMap((node, position) => {
    const values = branches.find((other) => other.error.schemaPath === `${roots[position]}enum`)
    return values ? listed(values.error, 'allowedValues') : listed(node.error, 'type').map(withArticle)
  })
  return [{ pointer: error.instancePath, detail: `Must be ${anyOf(allowed)}, not ${shown(error.data)}.` }]
}

const unescaped = (name: string) => name.replaceAll('~1', '/').replaceAll('~0', '~')

/** What a JSON pointer leads to. */
const valueAt = (root: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .reduce(
      (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, unescaped(name)) : undefined),
      root
    )

/** Ajv's errors, one sentence per field at fault. `root` has the values to show, where those that were checked say less. */
export const toFieldErrors = (errors: readonly ErrorObject[], pointerPrefix: string, root?: unknown): FieldError[] => {
  const looked = errors.slice(0, MAX_RAW_ERRORS).filter(({ keyword }) => keyword !== 'propertyNames')
  const nodes = toTree(root === undefined ? looked : looked.map((each) => ({ ...each, data: valueAt(root, each.instancePath) })))
  const described = nodes.filter((node) => !isBranchType(node)).flatMap(describeNode)
  const unique = new Map(described.map(({ pointer, detail }) => [`${pointer} ${detail}`, { pointer, detail }]))
  return [...unique.values()]
    .slice(0, MAX_ERRORS)
    .map(({ pointer, detail }) => ({ pointer: `${pointerPrefix}${pointer}`, detail }))
}

/** The fields at fault in one text, for the `detail` of the problem. */
export const summarise = (errors: readonly FieldError[]): string =>
  errors
    .slice(0, 3)
    .map(({ pointer, detail }) => (pointer === '' ? `The body: ${detail}` : `${pointer}: ${detail}`))
    .join(' ') + (errors.length > 3 ? ` And ${errors.length - 3} more, see errors.` : '')
