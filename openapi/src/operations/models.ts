import Type from 'typebox'
import { defineOperation } from '../operation.ts'
import { Model, ModelClassList, ModelList } from '../schemas/model.ts'
import { RequestedModel } from '../schemas/primitives.ts'

const params = Type.Object({ id: RequestedModel }, { additionalProperties: false })

export const listModels = defineOperation({
  operationId: 'listModels',
  method: 'GET',
  path: '/models',
  tag: 'models',
  scope: 'read',
  summary: 'List models',
  responses: { 200: { description: 'Every model a runner has announced, the default first.', schema: ModelList } },
  problems: ['queue_unavailable']
})

export const getModel = defineOperation({
  operationId: 'getModel',
  method: 'GET',
  path: '/models/{id}',
  tag: 'models',
  scope: 'read',
  summary: 'Read a model: sizes, scales, what it takes, defaults',
  params,
  responses: { 200: { description: 'The model.', schema: Model } },
  problems: ['model_not_found', 'queue_unavailable']
})

export const listModelClasses = defineOperation({
  operationId: 'listModelClasses',
  method: 'GET',
  path: '/models/{id}/classes',
  tag: 'models',
  scope: 'read',
  summary: 'Search a model’s classes by name',
  description: 'Of a model without classes it is 422 `unsupported_for_model`, with what that one takes.',
  params,
  query: Type.Object(
    {
      q: Type.Optional(Type.String({ maxLength: 200, description: 'Part of a name, matched as `class_name` is.' })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
      offset: Type.Optional(Type.Integer({ minimum: 0, default: 0 }))
    },
    { additionalProperties: false }
  ),
  responses: { 200: { description: 'Matching classes by label.', schema: ModelClassList } },
  problems: ['model_not_found', 'unsupported_for_model', 'queue_unavailable']
})
