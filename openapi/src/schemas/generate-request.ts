import Type, { type Static, type TSchema } from 'typebox'
import { nullable, oneOf, optional, RequestedModel, textByName } from './primitives.ts'
import { WebhookRequest } from './webhook.ts'

export const UINT32_MAX = 4_294_967_295
export const MAX_NUM_IMAGES = 16
export const MAX_CFG = 20
/** When a generation that is not finished is canceled, in seconds after acceptance. */
export const DEADLINE_SECONDS = 600
/** How long a finished generation is kept, unless it says otherwise. */
export const RETENTION_SECONDS = 86_400
export const MAX_DEADLINE_SECONDS = 86_400
export const MAX_RETENTION_SECONDS = 30 * 86_400
/** More scales than any model has. */
const MAX_SCALES = 64
/** More than any model has of what is counted: classes, tokens, scales. Within it every number is held exactly. */
export const MAX_COUNT = 2 ** 31 - 1

export const IMAGE_FORMATS = ['png', 'webp', 'jpeg'] as const
/** What a request may call the formats. */
const REQUESTED_FORMATS = [...IMAGE_FORMATS, 'jpg'] as const

/** The format that a request means. */
export const imageFormat = (named: (typeof REQUESTED_FORMATS)[number] | undefined): (typeof IMAGE_FORMATS)[number] | undefined =>
  named === 'jpg' ? 'jpeg' : named
export const PRIORITIES = ['low', 'normal', 'high'] as const
export type Priority = (typeof PRIORITIES)[number]

const closed = { additionalProperties: false } as const

const cfgOf = (description: string) => Type.Number({ minimum: 0, maximum: MAX_CFG, description })

export const perScale = <T extends TSchema>(setting: T, description: string) =>
  nullable(Type.Array(setting, { maxItems: MAX_SCALES, description }))

export const ScheduleInForce = Type.Object(
  {
    cfg: perScale(
      cfgOf('Guidance strength.'),
      `\`cfg[k]\` is the strength at scale k as it is, 0 to ${MAX_CFG}: it does not rise from scale to scale as the plain \`cfg\` does.`
    ),
    top_k: perScale(Type.Integer({ minimum: 0, maximum: MAX_COUNT }), '`top_k` of each scale.'),
    top_p: perScale(Type.Number({ exclusiveMinimum: 0, maximum: 1 }), '`top_p` of each scale.'),
    class_label: perScale(
      nullable(Type.Integer({ minimum: 0, maximum: MAX_COUNT })),
      'Class index of each scale; `null` is unconditional.'
    )
  },
  { $id: 'GenerationInputSchedule', description: 'Settings per scale; what is `null` follows the plain setting.' }
)
export type ScheduleInForce = Static<typeof ScheduleInForce>

const Schedule = Type.Partial(ScheduleInForce, {
  ...closed,
  $id: 'GenerateRequestSchedule',
  description:
    'Settings per scale, coarse to fine, in place of the plain ones. Each array has one entry per scale of the model (`scales`). What is left out, or `null`, follows the plain setting.'
})

const seconds = (description: string, maximum: number) =>
  Type.Integer({ minimum: 1, maximum, description: `${description} In seconds, 1 to ${maximum}.` })

export const StopAtScale = optional(
  Type.Integer({
    minimum: 0,
    maximum: MAX_COUNT,
    description:
      'Draft: stop after this scale, counted from 0, and decode what is there. `POST /generations/{id}/continue` takes it further. Left out: all scales.'
  })
)

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
    previews: optional(
      Type.Union(
        [
          oneOf(['none', 'auto']),
          Type.Array(Type.Integer({ minimum: 0, maximum: MAX_COUNT }), { uniqueItems: true, maxItems: MAX_SCALES })
        ],
        {
          ...byDefault('none'),
          description:
            'Scales, counted from 0, after which a small picture of the state so far is made. `auto` chooses about three of them, `none` makes none.'
        }
      )
    ),
    return_tokens: optional(
      Type.Boolean({
        ...byDefault(false),
        description: 'Store the drawn tokens beside each picture; `outputs[i].tokens_url` is the link to them.'
      })
    ),
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

export const GenerateRequest = Type.Object(
  {
    model: optional(RequestedModel, 'Id of a model, one of `GET /models`. Default: the first of them.'),
    class_label: optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_COUNT,
        description: 'Class by its index, counted from 0. Without it and `class_name` the picture is of no class in particular.'
      })
    ),
    class_name: optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Class by its name, matched without regard to case, underscores, hyphens and the width of spaces.'
      })
    ),
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
    cfg: optional(
      cfgOf(
        `Guidance strength at the last scale, 0 to ${MAX_CFG}, rising linearly from 0 at the first; 0 turns guidance off. Default: the model’s.`
      )
    ),
    top_k: optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_COUNT,
        description:
          'Keep the k likeliest tokens, ties included; 0 turns it off. At most the vocabulary size. Default: the model’s.'
      })
    ),
    top_p: optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        description:
          'Of what top_k left, keep the likeliest tokens that reach this mass, above 0 and at most 1; 1 turns it off. Default: the model’s.'
      })
    ),
    smooth: optional(Type.Boolean({ default: false, description: 'Gumbel-softmax blending of codes.' })),
    schedule: optional(Schedule, 'Settings per scale, in place of the plain ones. Left out: the plain ones hold at every scale.'),
    stop_at_scale: StopAtScale,
    start_deadline_seconds: Type.Optional(startDeadline('Expire when not started this long after acceptance. Default: none.')),
    ...deliveryFields('default')
  },
  {
    $id: 'GenerateRequest',
    ...closed,
    description: 'What to generate. Every field has a default, which holds when it is left out or `null`.'
  }
)
export type GenerateRequest = Static<typeof GenerateRequest>

/** Request fields that not every model or build honours, and the value of each that asks for nothing. */
export const OPTIONAL_CAPABILITIES = {
  smooth: false,
  schedule: null,
  stop_at_scale: null,
  previews: 'none',
  return_tokens: false
} as const satisfies Partial<Record<keyof GenerateRequest, unknown>>

/** Fields every runner honours since this release. Cards of the one before list them as unsupported, and are believed. */
export const ONCE_OPTIONAL_CAPABILITIES = {
  deadline_seconds: undefined,
  start_deadline_seconds: null,
  retention_seconds: undefined
} as const satisfies Partial<Record<keyof GenerateRequest, unknown>>
export type OptionalCapability = keyof typeof OPTIONAL_CAPABILITIES
