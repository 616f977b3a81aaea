import Type from 'typebox'
import { MAX_COUNT, MAX_SCALES } from '../schemas/limits.ts'
import { oneOf } from '../schemas/primitives.ts'
import type { Capability } from './capability.ts'

/** None; shared, and so never written to. */
const noScales: readonly number[] = Object.freeze([])

export const previews = {
  kind: 'product',
  asked: Type.Union(
    [
      oneOf(['none', 'auto']),
      Type.Array(Type.Integer({ minimum: 0, maximum: MAX_COUNT }), { uniqueItems: true, maxItems: MAX_SCALES })
    ],
    {
      description:
        'Scales, counted from 0, after which a small picture of the state so far is made. `auto` chooses about three of them, `none` makes none.'
    }
  ),
  value: Type.Array(Type.Integer({ minimum: 0 }), { description: 'Scales after which a preview is made.' }),
  neutral: noScales,
  nothing: 'none'
} as const satisfies Capability
