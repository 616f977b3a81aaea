import Type, { type Static } from 'typebox'
import { defaultFields } from '../capabilities/derive.ts'
import { CAPABILITIES } from '../capabilities/table.ts'
import { described, ModelId, nullable } from './primitives.ts'

export const ModelDefaults = Type.Object(defaultFields(CAPABILITIES), {
  $id: 'ModelDefaults',
  description: 'Settings of requests that name none; `null` where the model does not take the field.'
})

const Size = Type.Object(
  {
    width: Type.Integer({ minimum: 1, description: 'In pixels.' }),
    height: Type.Integer({ minimum: 1, description: 'In pixels.' })
  },
  { $id: 'ModelSize', description: 'Width and height of a picture.' }
)

const Scale = Type.Object(
  {
    height: Type.Integer({ minimum: 1, description: 'Rows of tokens.' }),
    width: Type.Integer({ minimum: 1, description: 'Tokens in a row.' })
  },
  { $id: 'ModelScale', description: 'Height and width of a token map.' }
)

const ModelParameters = Type.Object(
  {
    transformer: Type.Integer({ minimum: 0, description: 'Of the transformer, which draws tokens.' }),
    tokenizer: Type.Integer({ minimum: 0, description: 'Of the tokenizer, which makes pictures of them.' })
  },
  { $id: 'ModelParameters', description: 'Numbers of weights.' }
)

/** What a runner says of a model it serves, and everybody may know. */
export const announced = {
  id: ModelId,
  name: Type.String({ description: 'Name for people.' }),
  description: nullable(Type.String({ description: 'What it draws.' })),
  revision: Type.String({ description: 'Changes whenever the weights do: a seed is reproducible within one revision.' }),
  license: Type.String({ description: 'Licence of the weights.' }),
  family: Type.String({ description: 'The family of models it is one of, which says how it draws.', examples: ['var'] }),
  sizes: Type.Array(Size, { minItems: 1, description: 'Sizes of pictures it draws, the default first.' }),
  scales: Type.Array(Scale, {
    minItems: 1,
    description: 'Token maps of a picture of the first size, coarse to fine. Pictures of another size have as many scales.'
  }),
  vocabulary_size: nullable(
    Type.Integer({ minimum: 2, description: 'Number of different tokens; `null` where tokens are not numbers up to one.' })
  ),
  parameters: described(ModelParameters, 'Numbers of weights.'),
  capabilities: Type.Array(Type.String(), {
    description: 'Fields of requests this model honours that others may not.',
    examples: [['class_label', 'class_name', 'cfg']]
  })
}

const modelFields = {
  ...announced,
  width: Type.Integer({ minimum: 1, description: 'Width of pictures of the first size, in pixels.' }),
  height: Type.Integer({ minimum: 1, description: 'Height of pictures of the first size, in pixels.' }),
  tokens_per_image: Type.Integer({ minimum: 1, description: 'Tokens of all `scales`: the sum of height times width.' }),
  num_classes: nullable(
    Type.Integer({
      minimum: 0,
      description:
        'Number of classes, whose names `GET /models/{id}/classes` has; `null` where the model has none to choose from.'
    })
  ),
  defaults: described(ModelDefaults, 'Settings of requests that name none.'),
  unsupported: Type.Array(Type.String(), {
    description:
      'Fields of requests this model does not honour: all that are not among its `capabilities`. Asking for one gives 422 `unsupported_for_model`; its own size may be asked for of any.'
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
