import Type, { type Static } from 'typebox'
import { askedAgainFields } from '../capabilities/derive.ts'
import { CAPABILITIES } from '../capabilities/table.ts'
import { deliveryFields, startDeadline } from './generate-request.ts'
import { MAX_COUNT, UINT32_MAX } from './limits.ts'
import { optional } from './primitives.ts'

export const ContinueRequest = Type.Object(
  {
    keep_scales: optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_COUNT,
        description:
          'Variation: keep the tokens of the first so many scales and draw the rest anew with `seed`. Left out: go on with the same seed, which gives what the whole generation would have given.'
      })
    ),
    seed: optional(
      Type.Integer({
        minimum: 0,
        maximum: UINT32_MAX,
        description: `Only with \`keep_scales\`: seed of the scales drawn anew, 0 to ${UINT32_MAX}. Left out, the server draws one; it is always returned.`
      })
    ),
    ...askedAgainFields(CAPABILITIES, 'product'),
    start_deadline_seconds: Type.Optional(
      startDeadline('Expire when not started this long after acceptance; `null`: never, whatever the parent has.')
    ),
    ...deliveryFields('parent')
  },
  {
    $id: 'ContinueRequest',
    additionalProperties: false,
    description:
      'How to go on. What is left out or `null` is as in the generation that is continued, `output` field by field, except `stop_at_scale` (all scales), metadata, label and webhook (none), and a `start_deadline_seconds` of `null` (no such deadline). Of its previews those stay that lie before the scale that makes the picture here.'
  }
)
export type ContinueRequest = Static<typeof ContinueRequest>
