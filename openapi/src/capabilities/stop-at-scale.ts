import Type from 'typebox'
import { MAX_COUNT } from '../schemas/limits.ts'
import { nullable } from '../schemas/primitives.ts'
import type { Capability } from './capability.ts'

export const stopAtScale = {
  kind: 'product',
  asked: Type.Integer({
    minimum: 0,
    maximum: MAX_COUNT,
    description:
      'Draft: stop after this scale, counted from 0, and decode what is there. `POST /generations/{id}/continue` takes it further. Left out: all scales.'
  }),
  value: nullable(
    Type.Integer({ minimum: 0, description: 'The scale a draft stops after, counted from 0; `null`: all scales.' })
  ),
  neutral: null
} as const satisfies Capability
