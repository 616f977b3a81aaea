import Type, { type Static } from 'typebox'
import { described, ModelId, nullable, Timestamp } from './primitives.ts'

const ModelDefaults = Type.Object(
  {
    cfg: Type.Number({ minimum: 0, description: 'Guidance strength.' }),
    top_k: Type.Integer({ minimum: 0, description: 'How many of the likeliest tokens are kept; 0 is all.' }),
    top_p: Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'Mass of the likeliest tokens that is kept.' })
  },
  { $id: 'ModelDefaults', description: 'Settings of requests that name none.' }
)

const ModelParameters = Type.Object(
  {
    transformer: Type.Integer({ minimum: 1, description: 'Of the transformer, which draws tokens.' }),
    tokenizer: Type.Integer({ minimum: 1, description: 'Of the tokenizer, which makes pictures of them.' })
  },
  { $id: 'ModelParameters', description: 'Numbers of weights.' }
)

const modelFields = {
  id: ModelId,
  name: Type.String({ description: 'Name for people.' }),
  description: nullable(Type.String({ description: 'What it draws.' })),
  revision: Type.String({ description: 'Changes whenever the weights do: a seed is reproducible within one revision.' }),
  license: Type.String({ description: 'Licence of the weights.' }),
  resolution: Type.Integer({ minimum: 1, description: 'Width and height of the pictures, in pixels.' }),
  scales: Type.Array(Type.Integer({ minimum: 1 }), { description: 'Side of each token map, coarse to fine.' }),
  tokens_per_image: Type.Integer({ minimum: 1, description: 'Tokens of all scales: the sum of their squared sides.' }),
  vocabulary_size: Type.Integer({ minimum: 2, description: 'Number of different tokens.' }),
  num_classes: Type.Integer({ minimum: 0, description: 'Number of classes; `GET /models/{id}/classes` has their names.' }),
  parameters: described(ModelParameters, 'Numbers of weights.'),
  defaults: described(ModelDefaults, 'Settings of requests that name none.'),
  unsupported: Type.Array(Type.String(), {
    description: 'Request fields this model does not honour; asking for one gives 422 `unsupported_for_model`.'
  })
}

const pools = Type.Array(Type.String(), { description: 'Pools of runners that serve it, or did last.' })

export const Model = Type.Object(
  { ...modelFields, pools, default: Type.Boolean({ description: 'Whether requests without `model` use this one.' }) },
  { $id: 'Model', description: 'A model that runners have announced.' }
)
export type Model = Static<typeof Model>

export const ModelList = Type.Object(
  { data: Type.Array(Model, { description: 'The models, the default first.' }) },
  { $id: 'ModelList', description: 'Every model that is announced.' }
)

export const ModelClass = Type.Object(
  {
    label: Type.Integer({ minimum: 0, description: 'Its index, the `class_label` of requests.' }),
    name: Type.String({ description: 'Its name, the `class_name` of requests.' })
  },
  { $id: 'ModelClass', description: 'A class of a model.' }
)

export const ModelClassList = Type.Object(
  {
    data: Type.Array(ModelClass, { description: 'The classes of this page, by label.' }),
    total: Type.Integer({ minimum: 0, description: 'Classes that match, on this page or not.' })
  },
  { $id: 'ModelClassList', description: 'Classes of a model.' }
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
