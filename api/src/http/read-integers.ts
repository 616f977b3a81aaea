import type { TSchema } from 'typebox'

/** The one way to write an integer: `0x10`, `1e1`, `+1`, `01` and `1.0` stay texts, which a schema refuses. */
const INTEGER = /^(?:0|-?[1-9]\d*)$/

/** Puts numbers in the place of the texts of a query, where its schema has integers. */
export const readIntegers = (schema: TSchema): ((query: unknown) => void) => {
  const properties: Record<string, TSchema> = Reflect.get(schema, 'properties') ?? {}
  const names = Object.keys(properties).filter((name) => Reflect.get(properties[name] ?? {}, 'type') === 'integer')
  return (query) => {
    if (typeof query !== 'object' || query === null) return
    for (const name of names) {
      const text: unknown = Reflect.get(query, name)
      if (typeof text === 'string' && INTEGER.test(text)) Reflect.set(query, name, Number(text))
    }
  }
}
