import Type, { type Static } from 'typebox'
import { described, ModelId, nullable, oneOf } from './primitives.ts'

const Queue = Type.Object(
  {
    waiting: Type.Integer({ minimum: 0, description: 'Generations that wait.' }),
    running: Type.Integer({ minimum: 0, description: 'Generations that run.' }),
    oldest_wait_ms: nullable(Type.Number({ minimum: 0, description: 'How long the next one to run has waited.' }))
  },
  { $id: 'ServiceStatusQueue', description: 'The queues of all pools together.' }
)

const PoolStatus = Type.Object(
  {
    name: Type.String({ description: 'Its name, the `POOL` of its runners.' }),
    waiting: Type.Integer({ minimum: 0, description: 'Generations that wait in its queue.' }),
    running: Type.Integer({ minimum: 0, description: 'Generations that its runners make.' }),
    oldest_wait_ms: nullable(Type.Number({ minimum: 0, description: 'How long the next one to run has waited.' })),
    runners: Type.Integer({ minimum: 0, description: 'Its runners heard of in the last half minute.' }),
    models: Type.Array(ModelId, { description: 'Models that these runners serve.' })
  },
  { $id: 'ServiceStatusPool', description: 'A pool: runners that serve the same models, and their queue.' }
)

const ModelStatus = Type.Object(
  {
    id: ModelId,
    runners: Type.Integer({ minimum: 0, description: 'Of all runners, those that serve this model.' }),
    latency_ms: nullable(Type.Number({ minimum: 0, description: 'Recent time from first scale to stored pictures.' })),
    images_per_second: nullable(Type.Number({ minimum: 0, description: 'What all its runners made lately, together.' }))
  },
  { $id: 'ServiceStatusModel', description: 'Speed of a model.' }
)

const UnservedRevision = Type.Object(
  {
    model: ModelId,
    revision: Type.String({ description: 'Revision of the model.' }),
    waiting: Type.Integer({ minimum: 1, description: 'Generations that wait for it, each until its deadline.' })
  },
  { $id: 'UnservedRevision', description: 'A revision of a model that generations wait for and no runner serves.' }
)

export const ServiceStatus = Type.Object(
  {
    version: Type.String({ description: 'Version of the server.' }),
    accepting: Type.Boolean({ description: 'Whether a request would be accepted now.' }),
    queue: described(Queue, 'The queues of all pools together.'),
    pools: Type.Array(PoolStatus, { description: 'Each pool of runners, the default one first.' }),
    runners: Type.Integer({ minimum: 0, description: 'Runners heard of in the last half minute.' }),
    models: Type.Array(ModelStatus, { description: 'Speed of each model.' }),
    unserved: Type.Array(UnservedRevision, {
      description: 'Revisions of models that generations wait for and no runner that is up serves: start one with it.'
    })
  },
  { $id: 'ServiceStatus', description: 'Capacity, as it is now.' }
)
export type ServiceStatus = Static<typeof ServiceStatus>

/** What probes get. */
export const Health = Type.Object(
  { status: oneOf(['ok'], { description: 'All is well.' }) },
  { $id: 'Health', description: 'That all is well.' }
)
