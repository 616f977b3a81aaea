import Type from 'typebox'
import type { Capability } from './capability.ts'

export const smooth = {
  kind: 'steering',
  asked: Type.Boolean({ description: 'Gumbel-softmax blending of codes.' }),
  value: Type.Boolean({ description: 'Whether codes are blended by Gumbel-softmax.' }),
  neutral: false
} as const satisfies Capability
