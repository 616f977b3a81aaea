import Type from 'typebox'
import type { Capability } from './capability.ts'

export const returnTokens = {
  kind: 'product',
  asked: Type.Boolean({
    description: 'Store the drawn tokens beside each picture; `outputs[i].tokens_url` is the link to them.'
  }),
  value: Type.Boolean({ description: 'Whether the drawn tokens are stored beside each picture.' }),
  neutral: false
} as const satisfies Capability
