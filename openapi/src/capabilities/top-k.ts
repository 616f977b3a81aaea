import Type from 'typebox'
import { MAX_COUNT } from '../schemas/limits.ts'
import type { Capability } from './capability.ts'

export const topK = {
  kind: 'steering',
  asked: Type.Integer({
    minimum: 0,
    maximum: MAX_COUNT,
    description: 'Keep the k likeliest tokens, ties included; 0 turns it off. At most the vocabulary size. Default: the model’s.'
  }),
  value: Type.Integer({ minimum: 0, description: 'How many of the likeliest tokens are kept; 0 is off.' }),
  neutral: 0,
  ofModel: Type.Integer({ minimum: 0, description: 'How many of the likeliest tokens are kept; 0 is all.' }),
  perScale: { value: Type.Integer({ minimum: 0, maximum: MAX_COUNT }), description: '`top_k` of each scale.' }
} as const satisfies Capability
