import Type, { type Static } from 'typebox'
import {
  DEADLINE_SECONDS,
  IMAGE_FORMATS,
  MAX_CFG,
  MAX_NUM_IMAGES,
  PRIORITIES,
  RETENTION_SECONDS,
  ScheduleInForce,
  UINT32_MAX
} from './generate-request.ts'
import { described, ModelId, nullable, oneOf } from './primitives.ts'

const Output = Type.Object(
  {
    format: oneOf(IMAGE_FORMATS, { description: 'File format of the pictures.' }),
    quality: nullable(
      Type.Integer({ minimum: 1, maximum: 100, description: 'Quality of `webp` and `jpeg`; `null` with `png`.' })
    ),
    metadata: Type.Boolean({ description: 'Whether the settings are written into the pictures.' })
  },
  { $id: 'GenerationInputOutput', description: 'How the pictures are encoded.' }
)

const Keep = Type.Object(
  {
    seed: Type.Integer({ minimum: 0, maximum: UINT32_MAX, description: 'Seed of the scales that are kept.' }),
    scales: Type.Integer({ minimum: 1, description: 'How many scales are kept.' })
  },
  { $id: 'GenerationInputKeep', description: 'What a variation keeps of the generation it varies.' }
)

const settings = {
  model: ModelId,
  model_revision: Type.String({ description: 'Revision of the model’s weights: a seed is reproducible within one revision.' }),
  class_label: nullable(Type.Integer({ minimum: 0, description: 'Index of the class; `null`: of no class in particular.' })),
  class_name: nullable(Type.String({ description: 'Name of the class.' })),
  num_images: Type.Integer({ minimum: 1, maximum: MAX_NUM_IMAGES, description: 'How many pictures are made.' }),
  seed: Type.Integer({
    minimum: 0,
    maximum: UINT32_MAX,
    description: 'Seed of the first picture; picture i has `seed + i`, modulo 2^32.'
  }),
  cfg: Type.Number({ minimum: 0, maximum: MAX_CFG, description: 'Guidance strength at the last scale; 0 is off.' }),
  top_k: Type.Integer({ minimum: 0, description: 'How many of the likeliest tokens are kept; 0 is off.' }),
  top_p: Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'Mass of the likeliest tokens that is kept; 1 is off.' }),
  output: described(Output, 'How the pictures are encoded.'),
  priority: oneOf(PRIORITIES, { description: 'Head start in the queue.' })
}

/** Settings that jobs queued by the release before this one lack. */
const newSettings = {
  smooth: Type.Boolean({ description: 'Whether codes are blended by Gumbel-softmax.' }),
  schedule: nullable(ScheduleInForce, 'Settings per scale; `null`: the plain ones hold at every scale.'),
  return_tokens: Type.Boolean({ description: 'Whether the drawn tokens are stored beside each picture.' }),
  stop_at_scale: nullable(
    Type.Integer({ minimum: 0, description: 'The scale a draft stops after, counted from 0; `null`: all scales.' })
  ),
  previews: Type.Array(Type.Integer({ minimum: 0 }), { description: 'Scales after which a preview is made.' }),
  keep: nullable(
    Keep,
    'Variation: the first `scales` scales are drawn with this `seed` (image i: `seed + i`), the rest with the plain one.'
  ),
  deadline_seconds: Type.Integer({ minimum: 1, description: 'Canceled when not finished this long after acceptance.' }),
  start_deadline_seconds: nullable(
    Type.Integer({ minimum: 1, description: 'Expires when not started this long after acceptance; `null`: never.' })
  ),
  retention_seconds: Type.Integer({ minimum: 1, description: 'How long the finished generation is kept.' })
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
