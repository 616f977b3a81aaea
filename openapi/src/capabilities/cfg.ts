import Type from 'typebox'
import { MAX_CFG } from '../schemas/limits.ts'
import type { Capability } from './capability.ts'

const strength = (description: string) => Type.Number({ minimum: 0, maximum: MAX_CFG, description })

export const cfg = {
  kind: 'steering',
  asked: strength(
    `Guidance strength at the last scale, 0 to ${MAX_CFG}, rising linearly from 0 at the first; 0 turns guidance off. Default: the model’s.`
  ),
  value: strength('Guidance strength at the last scale; 0 is off.'),
  neutral: 0,
  ofModel: Type.Number({ minimum: 0, description: 'Guidance strength.' }),
  perScale: {
    value: strength('Guidance strength.'),
    description: `\`cfg[k]\` is the strength at scale k as it is, 0 to ${MAX_CFG}: it does not rise from scale to scale as the plain \`cfg\` does.`
  }
} as const satisfies Capability
