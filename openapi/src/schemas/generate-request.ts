import Type, { type Static } from 'typebox'
import type { CapabilityTable } from '../capabilities/capability.ts'
import { askedFields } from '../capabilities/derive.ts'
import { CAPABILITIES } from '../capabilities/table.ts'
import { UINT32_MAX } from './limits.ts'
import { nullable, oneOf, optional, RequestedModel, textByName } from './primitives.ts'
import { WebhookRequest } from './webhook.ts'

export const MAX_NUM_IMAGES = 16
/** When a generation that is not finished is canceled, in seconds after acceptance. */
export const DEADLINE_SECONDS = 600
/** How long a finished generation is kept, unless it says otherwise. */
export const RETENTION_SECONDS = 86_400
export const MAX_DEADLINE_SECONDS = 86_400
export const MAX_RETENTION_SECONDS = 30 * 86_400

export const IMAGE_FORMATS = ['png', 'webp', 'jpeg'] as const
/** What a request may call the formats. */
const REQUESTED_FORMATS = [...IMAGE_FORMATS, 'jpg'] as const

/** The format that a request means. */
export const imageFormat = (named: (typeof REQUESTED_FORMATS)[number] | undefined): (typeof IMAGE_FORMATS)[number] | undefined =>
  named === 'jpg' ? 'jpeg' : named
export const PRIORITIES = ['low', 'normal', 'high'] as const
export type Priority = (typeof PRIORITIES)[number]

const closed = { additionalProperties: false } as const

const seconds = (description: string, maximum: number) =>
  Type.Integer({ minimum: 1, maximum, description: `${description} In seconds, 1 to ${maximum}.` })

/** What the caller adds of its own. */
const callerFields = {
  metadata: optional(
    textByName(
      { maxLength: 512 },
      {
        maxProperties: 16,
        propertyNames: { maxLength: 64, not: { const: '__proto__' } },
        description:
          'The caller’s own texts by name, echoed back: 16 at most, names of up to 64 characters and texts of up to 512.'
      }
    )
  ),
  label: optional(
    Type.String({ maxLength: 128, description: 'The caller’s own label, up to 128 characters; the list can filter by it.' })
  ),
  webhook: optional(WebhookRequest, 'Where to announce what happens to the generation. Left out: nowhere.')
}

/** Where a setting that is left out comes from: it has a default, or the generation that is continued has it. */
type Origin = 'default' | 'parent'

const defaultIf =
  (origin: Origin) =>
  <const T>(value: T) =>
    origin === 'default' ? { default: value } : {}

const outputRequest = (origin: Origin) => {
  const byDefault = defaultIf(origin)
  const ofTheFormat = origin === 'default' ? 'Default 90.' : 'Left out: the parent’s where the format is the same, else 90.'
  return Type.Object(
    {
      format: optional(
        oneOf(REQUESTED_FORMATS, { description: 'File format of the pictures. `jpg` is `jpeg`.', ...byDefault('png') })
      ),
      quality: optional(
        Type.Integer({
          minimum: 1,
          maximum: 100,
          description: `Quality of \`webp\` and \`jpeg\`, 1 to 100; refused with \`png\`, which is lossless. ${ofTheFormat}`
        })
      ),
      metadata: optional(
        Type.Boolean({ ...byDefault(true), description: 'Write the settings into the picture (EXIF `ImageDescription`).' })
      )
    },
    {
      ...closed,
      $id: origin === 'default' ? 'GenerateRequestOutput' : 'ContinueRequestOutput',
      description: 'How pictures are encoded.'
    }
  )
}

export const startDeadline = (description: string) => nullable(seconds(description, MAX_DEADLINE_SECONDS))

/** What is asked about the making and delivery of pictures, whatever they show. */
export const deliveryFields = (origin: Origin) => {
  const byDefault = defaultIf(origin)
  const saying = (text: string) => (origin === 'default' ? ` ${text}` : '')
  return {
    output: optional(outputRequest(origin), 'How pictures are encoded.'),
    priority: optional(
      oneOf(PRIORITIES, {
        ...byDefault('normal'),
        description:
          'Order in the queue: a head start of some minutes, so that nothing waits for ever behind what is more urgent.'
      })
    ),
    deadline_seconds: optional(
      seconds(
        `Cancel when not finished this long after acceptance.${saying(`Default ${DEADLINE_SECONDS}.`)}`,
        MAX_DEADLINE_SECONDS
      )
    ),
    retention_seconds: optional(
      seconds(
        `Keep the finished generation and its pictures this long.${saying(`Default ${RETENTION_SECONDS}.`)}`,
        MAX_RETENTION_SECONDS
      )
    ),
    ...callerFields
  }
}

/** A request to models that have some of these capabilities. */
export const generateRequestOf = <const T extends CapabilityTable>(table: T) =>
  Type.Object(
    {
      model: optional(RequestedModel, 'Id of a model, one of `GET /models`. Default: the first of them.'),
      ...askedFields(table, 'subject'),
      num_images: optional(
        Type.Integer({
          minimum: 1,
          maximum: MAX_NUM_IMAGES,
          default: 1,
          description: `How many pictures to make, 1 to ${MAX_NUM_IMAGES}. They differ in their seeds.`
        })
      ),
      seed: optional(
        Type.Integer({
          minimum: 0,
          maximum: UINT32_MAX,
          description: `Seed of the first picture, 0 to ${UINT32_MAX}: picture i uses \`seed + i\`, modulo 2^32. Left out, the server draws one; it is always returned.`
        })
      ),
      ...askedFields(table, 'steering'),
      ...askedFields(table, 'product'),
      start_deadline_seconds: Type.Optional(startDeadline('Expire when not started this long after acceptance. Default: none.')),
      ...deliveryFields('default')
    },
    {
      $id: 'GenerateRequest',
      ...closed,
      description: 'What to generate. Every field has a default, which holds when it is left out or `null`.'
    }
  )

export const GenerateRequest = generateRequestOf(CAPABILITIES)
export type GenerateRequest = Static<typeof GenerateRequest>

/** Fields every runner honours since this release. Cards of the one before list them as unsupported, and are believed. */
export const ONCE_OPTIONAL = [
  'deadline_seconds',
  'start_deadline_seconds',
  'retention_seconds'
] as const satisfies readonly (keyof GenerateRequest)[]
