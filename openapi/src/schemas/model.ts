import Type, { type Static } from 'typebox'
import { ModelId, nullable, Timestamp } from './primitives.ts'

const ModelDefaults = Type.Object({
  cfg: Type.Number({ minimum: 0 }),
  top_k: Type.Integer({ minimum: 0 }),
  top_p: Type.Number({ exclusiveMinimum: 0, maximum: 1 })
})

const modelFields = {
  id: ModelId,
  name: Type.String(),
  description: nullable(Type.String()),
  revision: Type.String({ description: 'Changes whenever the weights do: a seed is reproducible within one revision.' }),
  license: Type.String(),
  resolution: Type.Integer({ minimum: 1, description: 'Width and height of the pictures, in pixels.' }),
  scales: Type.Array(Type.Integer({ minimum: 1 }), { description: 'Side of each token map, coarse to fine.' }),
  tokens_per_image: Type.Integer({ minimum: 1, description: 'Tokens of all scales: the sum of their squared sides.' }),
  vocabulary_size: Type.Integer({ minimum: 2 }),
  num_classes: Type.Integer({ minimum: 0 }),
  parameters: Type.Object({
    transformer: Type.Integer({ minimum: 1 }),
    tokenizer: Type.Integer({ minimum: 1 })
  }),
  defaults: ModelDefaults,
  unsupported: Type.Array(Type.String(), {
    description: 'Request fields this model does not honour; asking for one gives 422 `unsupported_for_model`.'
  })
}

export const Model = Type.Object(
  { ...modelFields, default: Type.Boolean({ description: 'Whether requests without `model` use this one.' }) },
  { $id: 'Model' }
)
export type Model = Static<typeof Model>

export const ModelList = Type.Object({ data: Type.Array(Model) }, { $id: 'ModelList' })

export const ModelClass = Type.Object({ label: Type.Integer({ minimum: 0 }), name: Type.String() }, { $id: 'ModelClass' })

export const ModelClassList = Type.Object(
  { data: Type.Array(ModelClass), total: Type.Integer({ minimum: 0, description: 'Classes that match, on this page or not.' }) },
  { $id: 'ModelClassList' }
)

/** What a runner announces in Redis about a model it serves: the public resource and its class names. */
export const ModelCard = Type.Object({
  ...modelFields,
  classes: Type.Array(Type.String(), { description: 'Name of class i at index i.' }),
  order: Type.Integer({
    minimum: 0,
    description: 'Position in the runner’s `MODELS`; the lowest still announced is the default.'
  }),
  announced_at: Timestamp('When a runner last announced it.')
})
export type ModelCard = Static<typeof ModelCard>
