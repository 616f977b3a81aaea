import Type, { type Static, type TSchema } from 'typebox'
import { ModelId, nullable, oneOf, textByName } from './primitives.ts'
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

export const IMAGE_FORMATS = ['png', 'webp', 'jpeg'] as const
export const PRIORITIES = ['low', 'normal', 'high'] as const
export type Priority = (typeof PRIORITIES)[number]

const closed = { additionalProperties: false } as const

const ClassLabel = nullable(Type.Integer({ minimum: 0, description: 'Class index; `null` is unconditional.' }))
const cfgOf = (description: string) => Type.Number({ minimum: 0, maximum: MAX_CFG, description })
const Cfg = cfgOf(
  'Guidance strength at the last scale, rising linearly from 0 at the first; 0 turns guidance off. Default: the model’s.'
)
const TopK = Type.Integer({
  minimum: 0,
  description: 'Keep the k likeliest tokens, ties included; 0 turns it off. At most the vocabulary size. Default: the model’s.'
})
const TopP = Type.Number({
  exclusiveMinimum: 0,
  maximum: 1,
  description: 'Of what top_k left, keep the likeliest tokens that reach this mass; 1 turns it off. Default: the model’s.'
})

const perScale = <T extends TSchema>(setting: T, description: string) =>
  nullable(Type.Array(setting, { maxItems: MAX_SCALES, description }))

const ScheduleInForce = Type.Object(
  {
    cfg: perScale(
      cfgOf('Guidance strength.'),
      '`cfg[k]` is the strength at scale k as it is: it does not rise from scale to scale as the plain `cfg` does.'
    ),
    top_k: perScale(Type.Integer({ minimum: 0 }), '`top_k` of each scale.'),
    top_p: perScale(Type.Number({ exclusiveMinimum: 0, maximum: 1 }), '`top_p` of each scale.'),
    class_label: perScale(nullable(Type.Integer({ minimum: 0 })), 'Class index of each scale; `null` is unconditional.')
  },
  { description: 'Settings per scale; what is `null` follows the plain setting.' }
)
export type ScheduleInForce = Static<typeof ScheduleInForce>

const Schedule = Type.Partial(ScheduleInForce, {
  ...closed,
  description:
    'Settings per scale, coarse to fine, in place of the plain ones. Each array has one entry per scale of the model (`scales`). What is left out, or `null`, follows the plain setting.'
})

const seconds = (description: string, maximum: number) => Type.Integer({ minimum: 1, maximum, description })

export const StopAtScale = Type.Optional(
  nullable(
    Type.Integer({
      minimum: 0,
      description:
        'Draft: stop after this scale, counted from 0, and decode what is there. `POST /generations/{id}/continue` takes it further. `null`: all scales.'
    })
  )
)

/** What the caller adds of its own. */
const callerFields = {
  metadata: Type.Optional(
    textByName(
      { maxLength: 512 },
      {
        maxProperties: 16,
        propertyNames: { maxLength: 64, not: { const: '__proto__' } },
        description: 'The caller’s own key-value pairs, echoed back.'
      }
    )
  ),
  label: Type.Optional(
    nullable(Type.String({ maxLength: 128, description: 'The caller’s own label; the list can filter by it.' }))
  ),
  webhook: Type.Optional(nullable(WebhookRequest))
}

/** Where a setting that is left out comes from: it has a default, or the generation that is continued has it. */
type Origin = 'default' | 'parent'

const defaultIf =
  (origin: Origin) =>
  <const T>(value: T) =>
    origin === 'default' ? { default: value } : {}

const outputRequest = (origin: Origin) => {
  const byDefault = defaultIf(origin)
  return Type.Object(
    {
      format: Type.Optional(oneOf(IMAGE_FORMATS, { description: 'File format of the pictures.', ...byDefault('png') })),
      quality: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 100,
          description: `Quality of \`webp\` and \`jpeg\`; refused with \`png\`, which is lossless.${origin === 'default' ? ' Default 90.' : ''}`
        })
      ),
      metadata: Type.Optional(
        Type.Boolean({ ...byDefault(true), description: 'Write the settings into the picture (EXIF `ImageDescription`).' })
      )
    },
    { ...closed, description: 'How pictures are encoded.' }
  )
}

/** What is asked about the making and delivery of pictures, whatever they show. */
export const deliveryFields = (origin: Origin) => {
  const byDefault = defaultIf(origin)
  const saying = (text: string) => (origin === 'default' ? ` ${text}` : '')
  return {
    output: Type.Optional(outputRequest(origin)),
    previews: Type.Optional(
      Type.Union(
        [oneOf(['none', 'auto']), Type.Array(Type.Integer({ minimum: 0 }), { uniqueItems: true, maxItems: MAX_SCALES })],
        {
          ...byDefault('none'),
          description:
            'Scales, counted from 0, after which a small picture of the state so far is made. `auto` chooses about three of them.'
        }
      )
    ),
    return_tokens: Type.Optional(
      Type.Boolean({
        ...byDefault(false),
        description: 'Store the drawn tokens beside each picture; `outputs[i].tokens_url` is the link to them.'
      })
    ),
    priority: Type.Optional(
      oneOf(PRIORITIES, {
        ...byDefault('normal'),
        description:
          'Order in the queue: a head start of some minutes, so that nothing waits for ever behind what is more urgent.'
      })
    ),
    deadline_seconds: Type.Optional(
      seconds(
        `Cancel when not finished this long after acceptance.${saying(`Default ${DEADLINE_SECONDS}.`)}`,
        MAX_DEADLINE_SECONDS
      )
    ),
    start_deadline_seconds: Type.Optional(
      nullable(seconds('Expire when not started this long after acceptance.', MAX_DEADLINE_SECONDS))
    ),
    retention_seconds: Type.Optional(
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
    model: Type.Optional(ModelId),
    class_label: Type.Optional(ClassLabel),
    class_name: Type.Optional(
      nullable(Type.String({ minLength: 1, maxLength: 200, description: 'Name of a class, matched without regard to case.' }))
    ),
    num_images: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_NUM_IMAGES, default: 1 })),
    seed: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: UINT32_MAX,
        description: 'Image i uses `seed + i`, modulo 2^32. Drawn by the server when absent; always returned.'
      })
    ),
    cfg: Type.Optional(Cfg),
    top_k: Type.Optional(TopK),
    top_p: Type.Optional(TopP),
    smooth: Type.Optional(Type.Boolean({ default: false, description: 'Gumbel-softmax blending of codes.' })),
    schedule: Type.Optional(nullable(Schedule)),
    stop_at_scale: StopAtScale,
    ...deliveryFields('default')
  },
  { $id: 'GenerateRequest', ...closed, description: 'What to generate. Every field has a default.' }
)
export type GenerateRequest = Static<typeof GenerateRequest>

const settings = {
  model: ModelId,
  model_revision: Type.String(),
  class_label: nullable(Type.Integer({ minimum: 0 })),
  class_name: nullable(Type.String()),
  num_images: Type.Integer({ minimum: 1, maximum: MAX_NUM_IMAGES }),
  seed: Type.Integer({ minimum: 0, maximum: UINT32_MAX }),
  cfg: Type.Number({ minimum: 0, maximum: MAX_CFG }),
  top_k: Type.Integer({ minimum: 0 }),
  top_p: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
  output: Type.Object({
    format: oneOf(IMAGE_FORMATS),
    quality: nullable(Type.Integer({ minimum: 1, maximum: 100 })),
    metadata: Type.Boolean()
  }),
  priority: oneOf(PRIORITIES)
}

/** Settings that jobs queued by the release before this one lack. */
const newSettings = {
  smooth: Type.Boolean(),
  schedule: nullable(ScheduleInForce),
  return_tokens: Type.Boolean(),
  stop_at_scale: nullable(Type.Integer({ minimum: 0 })),
  previews: Type.Array(Type.Integer({ minimum: 0 }), { description: 'Scales after which a preview is made.' }),
  keep: nullable(
    Type.Object(
      {
        seed: Type.Integer({ minimum: 0, maximum: UINT32_MAX }),
        scales: Type.Integer({ minimum: 1 })
      },
      {
        description:
          'Variation: the first `scales` scales are drawn with this `seed` (image i: `seed + i`), the rest with the plain one.'
      }
    )
  ),
  deadline_seconds: Type.Integer({ minimum: 1 }),
  start_deadline_seconds: nullable(Type.Integer({ minimum: 1 })),
  retention_seconds: Type.Integer({ minimum: 1 })
}

/** Settings the sampler and encoder really used: every default filled in. */
export const GenerationInput = Type.Object(
  { ...settings, ...newSettings },
  { $id: 'GenerationInput', description: 'The settings in force, defaults filled in.' }
)
export type GenerationInput = Static<typeof GenerationInput>

/** Settings as they lie in the queue. */
export const QueuedInput = Type.Object({ ...settings, ...Type.Partial(Type.Object(newSettings)).properties })
export type QueuedInput = Static<typeof QueuedInput>

/** The settings of a queued job, those it lacks included. */
export const completeInput = (input: QueuedInput): GenerationInput => ({
  ...input,
  smooth: input.smooth ?? false,
  schedule: input.schedule ?? null,
  return_tokens: input.return_tokens ?? false,
  stop_at_scale: input.stop_at_scale ?? null,
  previews: input.previews ?? [],
  keep: input.keep ?? null,
  deadline_seconds: input.deadline_seconds ?? DEADLINE_SECONDS,
  start_deadline_seconds: input.start_deadline_seconds ?? null,
  retention_seconds: input.retention_seconds ?? RETENTION_SECONDS
})

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
