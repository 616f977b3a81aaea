import Type, { type TSchema } from 'typebox'

/** A value that is always present and `null` while unknown. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

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
