import Type from 'typebox'
import { MAX_COUNT } from '../schemas/limits.ts'
import { nullable } from '../schemas/primitives.ts'
import type { Capability } from './capability.ts'

export const classLabel = {
  kind: 'subject',
  asked: Type.Integer({
    minimum: 0,
    maximum: MAX_COUNT,
    description:
      'Class by its index, counted from 0, of a model that has classes. Without it and `class_name` the picture is of no class in particular.'
  }),
  value: nullable(Type.Integer({ minimum: 0, description: 'Index of the class; `null`: of no class in particular.' })),
  neutral: null,
  perScale: {
    value: nullable(Type.Integer({ minimum: 0, maximum: MAX_COUNT })),
    description: 'Class index of each scale; `null` is unconditional.'
  }
} as const satisfies Capability
