import Type, { type Static } from 'typebox'
import { ModelId, nullable } from './primitives.ts'

export const ServiceStatus = Type.Object(
  {
    version: Type.String(),
    accepting: Type.Boolean({ description: 'Whether a request would be accepted now.' }),
    queue: Type.Object({
      waiting: Type.Integer({ minimum: 0, description: 'Generations that wait.' }),
      running: Type.Integer({ minimum: 0 }),
      oldest_wait_ms: nullable(Type.Number({ minimum: 0, description: 'How long the next one to run has waited.' }))
    }),
    runners: Type.Integer({ minimum: 0, description: 'Runners heard of in the last half minute.' }),
    models: Type.Array(
      Type.Object({
        id: ModelId,
        runners: Type.Integer({ minimum: 0, description: 'Of them, those that serve this model.' }),
        latency_ms: nullable(Type.Number({ minimum: 0, description: 'Recent time from first scale to stored pictures.' })),
        images_per_second: nullable(Type.Number({ minimum: 0, description: 'What all its runners made lately, together.' }))
      })
    ),
    unserved: Type.Array(
      Type.Object({
        model: ModelId,
        revision: Type.String(),
        waiting: Type.Integer({ minimum: 1, description: 'Generations that wait for it, each until its deadline.' })
      }),
      { description: 'Revisions of models that generations wait for and no runner that is up serves: start one with it.' }
    )
  },
  { $id: 'ServiceStatus', description: 'Capacity, as it is now.' }
)
export type ServiceStatus = Static<typeof ServiceStatus>
