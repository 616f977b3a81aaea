import { Ajv, type ValidateFunction } from 'ajv'
import type { Static, TSchema } from 'typebox'

const isDateTime = (text: string) => /^\d{4}-\d{2}-\d{2}T/.test(text) && !Number.isNaN(Date.parse(text))

/** String formats the contract uses. */
const FORMATS = { uri: (text: string) => URL.canParse(text), 'date-time': isDateTime, binary: true } as const

/** The contract is checked where it is made; checking its schemas again would cost a tenth of the start. */
export const TRUSTED_SCHEMAS = { formats: FORMATS, strict: false, validateSchema: false, meta: false } as const

/** Parses stored values. Fields added by a later release are let through, since queued jobs outlive deploys. */
const ajv = new Ajv(TRUSTED_SCHEMAS)

/** The schema without its names: one that stands in several others would count as several schemas of one name. */
export const withoutNames = (schema: TSchema): object =>
  JSON.parse(JSON.stringify(schema, (key, value: unknown) => (key === '$id' ? undefined : value)))

/** A function that returns the value when it fits the schema, else undefined. The schema is compiled on first use. */
export const parserOf = <T extends TSchema>(schema: T): ((value: unknown) => Static<T> | undefined) => {
  let fits: ValidateFunction<Static<T>> | undefined
  return (value) => {
    fits ??= ajv.compile<Static<T>>(withoutNames(schema))
    return fits(value) ? value : undefined
  }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The same for JSON text; undefined as well when it is not JSON. */
export const jsonParserOf = <T extends TSchema>(schema: T): ((text: string) => Static<T> | undefined) => {
  const parse = parserOf(schema)
  return (text) => parse(parseJson(text))
}
