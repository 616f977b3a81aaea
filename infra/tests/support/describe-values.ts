import { readYaml } from './render-chart.ts'

interface Schema {
  description?: string
  properties?: Record<string, Schema>
}

const child = (place: unknown, name: string): unknown =>
  typeof place === 'object' && place !== null ? Reflect.get(place, name) : undefined

const isEmpty = (value: unknown): boolean =>
  value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)

/** As one would write it. */
const shown = (value: unknown): string => {
  if (isEmpty(value)) return 'none'
  if (typeof value === 'string') return `\`${value}\``
  const flow = JSON.stringify(value).replaceAll('"', '').replaceAll(':', ': ').replaceAll(',', ', ')
  return `\`${flow}\``
}

/** A row for each value that a table names: its meaning by the schema, its default by the values. */
export const describeValues = async (names: readonly string[]): Promise<string[][]> => {
  const schema = (await readYaml('values.schema.json')) as Schema
  const values = await readYaml('values.yaml')
  return names.map((name) => {
    const parts = name.split('.')
    const described = parts.reduce<Schema | undefined>((place, part) => place?.properties?.[part], schema)?.description
    const value = parts.reduce(child, values)
    if (described === undefined || value === undefined) throw new Error(`There is no value ${name}`)
    return [`\`${name}\``, described, shown(value)]
  })
}
