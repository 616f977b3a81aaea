import Type, { type Static, type TSchema } from 'typebox'

const NULL = { type: 'null' } as const

interface Keywords {
  $id?: string
  type?: unknown
  anyOf?: readonly object[]
  enum?: readonly unknown[]
}

/**
 * The schema with `null` among its types and values, which code generators know; as a branch of a union where it has a name, and
 * so is a reference in the document.
 */
const orNull = (schema: TSchema & Keywords): object => {
  const { $id, type, anyOf, enum: values } = schema
  if (anyOf) return { ...schema, anyOf: [...anyOf, NULL] }
  if ($id !== undefined) return { anyOf: [schema, NULL] }
  return { ...schema, type: [type, 'null'], ...(values && { enum: [...values, null] }) }
}

/** A value that may be `null`. What is said of one with a name is said of its type, so the field has a description of its own. */
export const nullable = <T extends TSchema>(schema: T, description?: string) =>
  Type.Unsafe<Static<T> | null>({ ...orNull(schema), ...(description !== undefined && { description }) })

/** A field of a request that may be left out; `null` says that it was. */
export const optional = <T extends TSchema>(schema: T, description?: string) => Type.Optional(nullable(schema, description))

/** A value of a named type, with what is said of it where it stands. */
export const described = <T extends TSchema>(schema: T, description: string) =>
  Type.Unsafe<Static<T>>({ allOf: [schema], description })

/** One of a closed set of strings. (`Type.Enum` leaves the JSON type out, which code generators want.) */
export const oneOf = <const T extends readonly string[]>(
  values: T,
  options: { description?: string; default?: T[number] } = {}
) => Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options })

/**
 * An object of texts under any names. (`Type.Record` checks only values whose names fit the pattern `^.*$`, which a name
 * with a line break does not.)
 */
export const textByName = (
  text: { maxLength?: number } = {},
  options: { maxProperties?: number; propertyNames?: { maxLength: number; not?: { const: string } }; description?: string } = {}
) => Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string', ...text }, ...options })

export const Timestamp = (description: string) => Type.String({ format: 'date-time', description })

/** Ids are 128 random bits in lower-case base32, so they are unguessable and safe in paths and object keys. */
export const GENERATION_ID_PATTERN = '^gen_[a-z2-7]{26}$'
export const DELIVERY_ID_PATTERN = '^whd_[a-z2-7]{26}$'
export const MODEL_ID_PATTERN = '^[a-z0-9][a-z0-9._-]{0,63}$'
/** Width and height in pixels. */
export const SIZE_PATTERN = '^[1-9][0-9]{0,4}x[1-9][0-9]{0,4}$'

export const GenerationId = Type.String({
  pattern: GENERATION_ID_PATTERN,
  description: 'Id of a generation.',
  examples: ['gen_4s5k2nq7yb6dm3xw2ehqj5ztla']
})

export const DeliveryId = Type.String({
  pattern: DELIVERY_ID_PATTERN,
  description: 'Id of a webhook delivery; its requests carry it as `webhook-id`.',
  examples: ['whd_4s5k2nq7yb6dm3xw2ehqj5ztla']
})

export const ModelId = Type.String({
  pattern: MODEL_ID_PATTERN,
  description: 'Id of a model, one of `GET /models`.',
  examples: ['emoji-32']
})

/** A model as a request names it. Any text: what is no id of a model is answered like the id of one that is not served. */
export const RequestedModel = Type.String({
  description: 'Id of a model, one of `GET /models`.',
  examples: ['emoji-32']
})

/** What the patterns ask for, in words. */
export const FORMS: Readonly<Record<string, string>> = {
  [GENERATION_ID_PATTERN]: 'the id of a generation: gen_ and 26 letters a to z and digits 2 to 7',
  [DELIVERY_ID_PATTERN]: 'the id of a webhook delivery: whd_ and 26 letters a to z and digits 2 to 7',
  [SIZE_PATTERN]: 'a size in pixels: WIDTHxHEIGHT, such as 32x32',
  [MODEL_ID_PATTERN]: 'the id of a model: lower-case letters, digits, ".", "_" and "-", 64 at most'
}
