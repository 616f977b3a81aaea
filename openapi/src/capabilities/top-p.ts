import Type from 'typebox'
import type { Capability } from './capability.ts'

const MASS = { exclusiveMinimum: 0, maximum: 1 } as const

export const topP = {
  kind: 'steering',
  asked: Type.Number({
    ...MASS,
    description:
      'Of what top_k left, keep the likeliest tokens that reach this mass, above 0 and at most 1; 1 turns it off. Default: the model’s.'
  }),
  value: Type.Number({ ...MASS, description: 'Mass of the likeliest tokens that is kept; 1 is off.' }),
  neutral: 1,
  ofModel: Type.Number({ ...MASS, description: 'Mass of the likeliest tokens that is kept.' }),
  perScale: { value: Type.Number(MASS), description: '`top_p` of each scale.' }
} as const satisfies Capability
