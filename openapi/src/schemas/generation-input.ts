import Type, { type Static } from 'typebox'
import type { CapabilityTable } from '../capabilities/capability.ts'
import { completeValues, queuedFields, valueFields } from '../capabilities/derive.ts'
import { CAPABILITIES } from '../capabilities/table.ts'
import { DEADLINE_SECONDS, IMAGE_FORMATS, MAX_NUM_IMAGES, PRIORITIES, RETENTION_SECONDS } from './generate-request.ts'
import { UINT32_MAX } from './limits.ts'
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

const model = {
  model: ModelId,
  model_revision: Type.String({ description: 'Revision of the model’s weights: a seed is reproducible within one revision.' })
}

const draws = {
  num_images: Type.Integer({ minimum: 1, maximum: MAX_NUM_IMAGES, description: 'How many pictures are made.' }),
  seed: Type.Integer({
    minimum: 0,
    maximum: UINT32_MAX,
    description: 'Seed of the first picture; picture i has `seed + i`, modulo 2^32.'
  })
}

const delivery = {
  output: described(Output, 'How the pictures are encoded.'),
  priority: oneOf(PRIORITIES, { description: 'Head start in the queue.' })
}

/** Settings that jobs queued by the release before this one lack, beside capabilities. */
const newSettings = {
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

/** Settings of models that have some of these capabilities; of those that a model has not, the neutral values. */
export const generationInputOf = <const T extends CapabilityTable>(table: T) =>
  Type.Object(
    {
      ...model,
      ...valueFields(table, 'subject'),
      ...draws,
      ...valueFields(table, 'steering'),
      ...delivery,
      ...valueFields(table, 'product'),
      ...newSettings
    },
    {
      $id: 'GenerationInput',
      description: 'The settings in force, defaults filled in. What the model does not take asks for nothing.'
    }
  )

/** Settings the sampler and encoder really used: every default filled in. */
export const GenerationInput = generationInputOf(CAPABILITIES)
export type GenerationInput = Static<typeof GenerationInput>

/** The same as they lie in the queue. */
export const queuedInputOf = <const T extends CapabilityTable>(table: T) =>
  Type.Object({ ...model, ...draws, ...delivery, ...queuedFields(table), ...Type.Partial(Type.Object(newSettings)).properties })

export const QueuedInput = queuedInputOf(CAPABILITIES)
export type QueuedInput = Static<typeof QueuedInput>

/** The settings of a queued job, those it lacks included. */
export const completeInput = (input: QueuedInput): GenerationInput => ({
  ...input,
  ...completeValues(CAPABILITIES, input),
  keep: input.keep ?? null,
  deadline_seconds: input.deadline_seconds ?? DEADLINE_SECONDS,
  start_deadline_seconds: input.start_deadline_seconds ?? null,
  retention_seconds: input.retention_seconds ?? RETENTION_SECONDS
})
