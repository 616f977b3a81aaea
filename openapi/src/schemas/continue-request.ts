import Type, { type Static } from 'typebox'
import { deliveryFields, StopAtScale, UINT32_MAX } from './generate-request.ts'
import { nullable } from './primitives.ts'

export const ContinueRequest = Type.Object(
  {
    keep_scales: Type.Optional(
      nullable(
        Type.Integer({
          minimum: 1,
          description:
            'Variation: keep the tokens of the first so many scales and draw the rest anew with `seed`. `null`: go on with the same seed, which gives what the whole generation would have given.'
        })
      )
    ),
    seed: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: UINT32_MAX,
        description: 'Only with `keep_scales`: seed of the scales drawn anew. Drawn by the server when absent; always returned.'
      })
    ),
    stop_at_scale: StopAtScale,
    ...deliveryFields('parent')
  },
  {
    $id: 'ContinueRequest',
    additionalProperties: false,
    description:
      'How to go on. What is left out is as in the generation that is continued, `output` field by field, except `stop_at_scale` (all scales), metadata, label and webhook. Of its previews those stay that lie before the scale that makes the picture here.'
  }
)
export type ContinueRequest = Static<typeof ContinueRequest>
