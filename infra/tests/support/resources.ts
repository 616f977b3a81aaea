/** What an attribute may be, as Terraform writes it; what is not known yet is left out. */
export type Value = null | boolean | number | string | Value[] | { [name: string]: Value }

/** A resource of a plan or of a state, with what is known of it. */
export interface Resource {
  /** Such as `module.queue.aws_elasticache_replication_group.this[0]`. */
  address: string
  type: string
  name: string
  mode: 'managed' | 'data'
  values: Record<string, Value>
}

interface Module {
  resources?: Resource[]
  child_modules?: Module[]
}

export interface State {
  values?: { root_module: Module; outputs?: Record<string, { value: Value }> }
}

interface Change {
  address: string
  type: string
  name: string
  mode: Resource['mode']
  change: { actions: string[]; before: Record<string, Value> | null; after: Record<string, Value> | null }
}

export interface Plan {
  planned_values: { root_module: Module; outputs?: Record<string, { value?: Value }> }
  prior_state?: State
  resource_changes?: Change[]
}

const inModule = ({ resources = [], child_modules: children = [] }: Module): Resource[] => [
  ...resources,
  ...children.flatMap(inModule)
]

export const resourcesOfState = ({ values }: State): Resource[] => (values === undefined ? [] : inModule(values.root_module))

/** What a plan makes, and the data that it has read, or is to read with what is known of its arguments. */
export const resourcesOfPlan = ({
  planned_values: planned,
  prior_state: prior,
  resource_changes: changes = []
}: Plan): Resource[] => [
  ...inModule(planned.root_module).filter(({ mode }) => mode === 'managed'),
  ...resourcesOfState(prior ?? {}).filter(({ mode }) => mode === 'data'),
  ...changes.flatMap(({ change, ...resource }) =>
    resource.mode === 'data' && change.actions.includes('read') ? { ...resource, values: change.after ?? {} } : []
  )
]

export const ofType = (resources: readonly Resource[], type: string): Resource[] =>
  resources.filter((resource) => resource.type === type && resource.mode === 'managed')

/** What lies at a path such as `metadata_options.0.http_tokens`; undefined where nothing is known. */
export const at = (values: Value | undefined, path: string): Value | undefined =>
  path
    .split('.')
    .reduce<Value | undefined>(
      (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
      values
    )

export const listAt = (values: Value | undefined, path: string): Value[] => {
  const found = at(values, path)
  return Array.isArray(found) ? found : []
}

export const textsAt = (values: Value | undefined, path: string): string[] =>
  listAt(values, path).filter((value) => typeof value === 'string')

export const textAt = (values: Value | undefined, path: string): string | undefined => {
  const found = at(values, path)
  return typeof found === 'string' ? found : undefined
}
